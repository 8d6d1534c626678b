/* tslint:disable */
/* eslint-disable */
export const memory: WebAssembly.Memory;
export const __wbg_road_free: (a: number, b: number) => void;
export const hashEmail: (a: number, b: number, c: number, d: number) => [number, number];
export const loadRegistry: (a: any) => [number, number, number, number];
export const redact: (a: number, b: number) => [number, number];
export const road_check: (a: number, b: number) => void;
export const road_given: (a: any) => any;
export const road_input: (a: number) => number;
export const road_judge: (a: number, b: number, c: number) => void;
export const road_record: () => number;
export const road_terms: (a: any) => any;
export const start: () => void;
export const __wbindgen_malloc: (a: number, b: number) => number;
export const __wbindgen_free: (a: number, b: number, c: number) => void;
export const __wbindgen_exn_store: (a: number) => void;
export const __externref_table_alloc: () => number;
export const __wbindgen_externrefs: WebAssembly.Table;
export const __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
export const __externref_table_dealloc: (a: number) => void;
export const __wbindgen_start: () => void;
