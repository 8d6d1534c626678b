/** Checks the server's answers where they arrive: an error names the column that is missing or of another type. */

export type Decoder<T> = (value: unknown, where: string) => T;
export type Shape = Readonly<Record<string, Decoder<unknown>>>;
export type Row<S extends Shape> = { readonly [K in keyof S]: ReturnType<S[K]> };

export const text: Decoder<string> = (value, where) => (typeof value === "string" ? value : fail(where, "text", value));

/** `numeric` may arrive as text where the driver guards its digits. */
export const number: Decoder<number> = (value, where) => {
  const read = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof read === "number" && Number.isFinite(read) ? read : fail(where, "a number", value);
};

export function nullable<T>(decoder: Decoder<T>): Decoder<T | null> {
  return (value, where) => (value === null || value === undefined ? null : decoder(value, where));
}

export function list<T>(decoder: Decoder<T>): Decoder<readonly T[]> {
  return (
    value,
    where,
  ) => (Array.isArray(value)
    ? value.map((item, index) => decoder(item, `${where}[${index}]`))
    : fail(where, "a list", value));
}

export const flag: Decoder<boolean> = (
  value,
  where,
) => (typeof value === "boolean" ? value : fail(where, "true or false", value));

/** Shown as it is and never relied on. */
export const anything: Decoder<unknown> = (value) => value;

/** An object that is passed on whole. */
export const object: Decoder<object> = (
  value,
  where,
) => (typeof value === "object" && value !== null ? value : fail(where, "an object", value));

export function row<S extends Shape>(shape: S): Decoder<Row<S>> {
  return (value, where) => {
    if (typeof value !== "object" || value === null) return fail(where, "an object", value);
    const source = value as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
      Object.entries(shape).map(([name, decoder]) => [name, decoder(source[name], `${where}.${name}`)]),
    ) as Row<S>;
  };
}

function fail(where: string, wanted: string, value: unknown): never {
  throw new TypeError(`${where} is not ${wanted} but ${value === null ? "null" : typeof value}`);
}
