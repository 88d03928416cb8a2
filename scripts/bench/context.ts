import type { Row } from './row.ts';

/** What every benchmark is given. */
export interface BenchContext {
  /** Folder of an artifact with the static encoder. */
  readonly artifact: string;
  /** Folder of an artifact with the MiniLM encoder; made when it is first asked for. */
  readonly minilmArtifact: () => Promise<string>;
  /** Different texts of 64 word pieces. */
  readonly texts: readonly string[];
  /** One line on stderr. */
  readonly say: (line: string) => void;
}

/** One benchmark; it may have several figures. */
export type Bench = (context: BenchContext) => Promise<readonly Row[]>;
