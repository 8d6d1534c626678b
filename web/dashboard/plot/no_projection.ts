/** Stands in for Plot's map projections, a tenth of its weight: no chart here is a map. */

export const createProjection = (options?: { readonly projection?: unknown }): undefined => none(options?.projection);
export const hasProjection = (options?: { readonly projection?: unknown }): boolean =>
  none(options?.projection) !== undefined;
export const projectionAspectRatio = (projection?: unknown): undefined => none(projection);
export const project = refuse;
export const applyPosition = refuse;
export const getGeometryChannels = refuse;
export const xyProjection = refuse;

function none(projection: unknown): undefined {
  return projection === undefined || projection === null ? undefined : refuse();
}

function refuse(): never {
  throw new Error("maps are left out of this page: see web/dashboard/vite.config.js");
}
