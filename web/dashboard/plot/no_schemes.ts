/** Stands in for Plot's colour schemes: every chart here names its colours, which follow the theme. */

export const isCategoricalScheme = (scheme?: string): boolean => none(scheme);
export const isDivergingScheme = (scheme?: string): boolean => none(scheme);
export const maybeBooleanRange = refuse;
export const ordinalRange = refuse;
export const ordinalScheme = refuse;
export const quantitativeScheme = refuse;

function none(scheme: string | undefined): false {
  return scheme === undefined || scheme === null ? false : refuse();
}

function refuse(): never {
  throw new Error(
    "colour schemes are left out of this page: give the scale a range, or see web/dashboard/vite.config.js",
  );
}
