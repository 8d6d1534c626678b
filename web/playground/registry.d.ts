declare module "virtual:default-registry" {
  /** The snapshot of `taxonomy.json`, in the form that the contract's `loadRegistry` takes. */
  const registry: object;
  export default registry;
}
