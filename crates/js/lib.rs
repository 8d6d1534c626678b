//! What the WebAssembly boundary needs of JavaScript: values of its types, and the parts that are written in it.
//!
//! It is a package of its own because wasm-bindgen adds the `package.json` beside the `Cargo.toml` of a package with
//! scripts to what users install, and the repository's names everything that the local stack is made of.

use js_sys::TypeError;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/judge.js")]
extern "C" {
    /// Gives `judge` and `check` the exports of the module and the layout of what they write and read there.
    pub fn connect(exports: &JsValue, layout: &JsValue);

    #[wasm_bindgen(reexport, skip_typescript)]
    fn judge(body: &JsValue, context: &JsValue) -> JsValue;

    #[wasm_bindgen(reexport, skip_typescript)]
    fn check(event: &JsValue, registry: &JsValue, context: &JsValue) -> JsValue;
}

// Apart from them, so that a bundle of a page that only checks leaves it out.
#[wasm_bindgen(module = "/contract.js")]
extern "C" {
    #[wasm_bindgen(reexport, skip_typescript)]
    fn contract() -> JsValue;
}

#[wasm_bindgen(module = "/objects.js")]
extern "C" {
    /// The bytes of JSON of a value: a `Uint8Array` and a text as they are, anything else as `JSON.stringify` writes it.
    /// An error says what of it has no JSON, and where.
    #[wasm_bindgen(catch)]
    pub fn bytes(value: &JsValue, name: &str) -> Result<Vec<u8>, TypeError>;

    /// A member that is a text, or nothing where it is left out.
    #[wasm_bindgen(catch)]
    pub fn text(object: &JsValue, key: &str) -> Result<Option<String>, TypeError>;
}
