import type { CatalogModel, Dialect } from '../catalog/index.ts';

/** A client's request and the model that it is mapped for. */
export interface ModelRequest {
  readonly model: CatalogModel;
  /** The client's dialect, in which the body is written. */
  readonly dialect: Dialect;
  /** The client's body, parsed; unknown fields included. */
  readonly body: Readonly<Record<string, unknown>>;
}
