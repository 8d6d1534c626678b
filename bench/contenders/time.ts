/** RFC 3339, strictly: `Date.parse` alone accepts far more. */
const FORM = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-](\d\d):(\d\d))$/;
const MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

let lastText = "";
let lastTime = NaN;

/** Milliseconds since the epoch, or NaN if the text is not of that form. It is kept, because two rules ask for the same text. */
export function readTime(text: string): number {
  if (text !== lastText) {
    lastText = text;
    lastTime = parse(text);
  }
  return lastTime;
}

function parse(text: string): number {
  const parts = FORM.exec(text);
  if (!parts) return NaN;
  const year = +parts[1], month = +parts[2], day = +parts[3];
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (month < 1 || month > 12 || day < 1 || day > MONTHS[month - 1] + (leap ? 1 : 0)) return NaN;
  if (+parts[4] > 23 || +parts[5] > 59 || +parts[6] > 59) return NaN;
  if (parts[7] !== undefined && (+parts[7] > 23 || +parts[8] > 59)) return NaN;
  return Date.parse(text);
}
