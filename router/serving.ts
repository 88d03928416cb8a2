import type { Dialect } from './catalog/index.ts';
import type { Config } from './config/index.ts';
import type { ReviewDesk } from './grading/index.ts';
import type { Reload, Router } from './router.ts';

/*
 * What `serve` and `createGateway` take and return. Apart from their code, because a user's compiler reads these declarations and all that
 * they import, and the user may have neither Node's types nor those of our dependencies.
 */

export interface ServeOptions {
  /** Reads the configuration again for a reload; without it a reload keeps `config` and opens its artifact again. */
  readonly readConfig?: () => Config;
  /** A configuration file that is watched: when it is written, everything is reloaded. */
  readonly configFile?: string;
  /** Lets the dashboard choose what serves in a store of artifacts; without it only commands do. Called with the first change. */
  readonly promotion?: () => Promise<ArtifactPromotion>;
  /** Opens the labelled cases that people grade on the dashboard; without it only `plimsoll review` does. Called with the first visit. */
  readonly review?: (options: NonNullable<Config['review']>) => Promise<ReviewDesk>;
  /** A sentence above every page of the dashboard, such as that this server is for tests. */
  readonly banner?: string;
}

/** Chooses what serves in a store of artifacts. Both throw a PlimsollError to refuse. */
export interface ArtifactPromotion {
  /**
   * @param artifact its folder, within a store
   * @param check called while nobody else can change what serves; throws to refuse
   */
  promote(artifact: string, at: Date, check: () => void): { readonly artifact: string };
  /** Goes back to what served before. @param check as of `promote` */
  rollback(store: string, at: Date, check: () => void): { readonly artifact: string };
}

/** A running server. */
export interface Served {
  readonly url: string;
  readonly port: number;
  readonly router: Router;
  /** Reads the configuration and opens the artifact again. Never rejects: if either fails, nothing changes. */
  reload(): Promise<Reload>;
  /**
   * Becomes not ready, stops accepting, waits for requests at work (at most drain_timeout_ms), closes the router, and ends the watches over
   * the artifact and the configuration file. Resolves to whether every request got its response. Safe to call twice.
   */
  close(): Promise<boolean>;
}

/** A gateway inside the user's own program, without a server, API keys and queue. */
export interface EmbeddedGateway {
  readonly router: Router;
  /**
   * Sends a request to the model that `model` names or the router chooses.
   * @param body as that of `/v1/chat/completions`, or of the API that `options` name
   * @returns what the server would send, as JSON or as a stream of server-sent events; to be read to its end, or cancelled
   * @throws PlimsollError if the request cannot be routed; the reason of `options.signal` once that is aborted
   */
  respond(body: Readonly<Record<string, unknown>>, options?: RespondOptions): Promise<Response>;
  close(): Promise<void>;
}

export interface RespondOptions {
  /** Default: openai. */
  readonly dialect?: Dialect;
  /** Default: chat. */
  readonly operation?: 'chat' | 'embeddings';
  /** Names in lower case; only those that a provider may see are passed on. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}
