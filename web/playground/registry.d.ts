declare module "virtual:default-registry" {
  /** The snapshot of `src/registry.json`, in the form that the contract's `loadRegistry` takes. */
  const registry: object;
  export default registry;
}
