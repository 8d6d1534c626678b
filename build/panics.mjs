/**
 * Takes out of a module what only panics need. Nobody sees what a panic prints here, because a module has nowhere to
 * print to; so where one begins, the module simply stops, as it would after printing.
 */
import binaryen from "binaryen";

/** The functions that begin a panic, and those that put its message together: nothing else here formats anything. */
const OF_PANICS =
  /\bpanick|panic_access_error|begin_unwind|rust_panic|_fail(ed)?$|handle_error|capacity_overflow|alloc_error|rust_oom|short_backtrace|\bfmt\b/;

const { Features } = binaryen;
const FEATURES = Features.BulkMemory | Features.BulkMemoryOpt | Features.Multivalue | Features.MutableGlobals |
  Features.NontrappingFPToInt | Features.ReferenceTypes | Features.SignExt | Features.SIMD128;

/** The same module without panics; its functions still have names. @param {Uint8Array} bytes */
export function withoutPanics(bytes) {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(FEATURES);
  let found = 0;
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const reference = module.getFunctionByIndex(index);
    const { name, module: from } = binaryen.getFunctionInfo(reference);
    if (from || !OF_PANICS.test(name)) continue;
    // Its types do not know of this.
    /** @type {any} */ (binaryen).Function.setBody(reference, module.unreachable());
    found++;
  }
  if (found === 0) throw new Error("no function of the module is known by a name that panics have");
  const written = module.emitBinary();
  module.dispose();
  return written;
}
