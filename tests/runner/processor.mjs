import { readFileSync } from "node:fs";

/** What one second has, on every Linux. */
const TICKS = 100;

let counted = 0;

/**
 * The seconds of processor time of the processes that ended since the last call, with all that they waited for. A process
 * that outlived its suite is not among them. NaN where no file of the system says it.
 */
export function processorSeconds() {
  const total = ofEndedProcesses();
  const seconds = total - counted;
  counted = total;
  return seconds;
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the 16th and 17th field, cutime and cstime */
function ofEndedProcesses() {
  let stat;
  try {
    stat = readFileSync("/proc/self/stat", "utf8");
  } catch {
    return NaN;
  }
  // The second field is the name of the program, which may have blanks in it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / TICKS;
}
