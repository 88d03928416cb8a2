/** Says on stderr how far long work has come: one line that is redrawn on a terminal, a line every few seconds elsewhere. */
export interface Progress {
  update(done: number, total?: number): void;
  /** Ends the line; `summary` stays. */
  end(summary?: string): void;
}

const REDRAW_MS = 100;
const LINE_MS = 5_000;

export function startProgress(label: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  const startedMs = performance.now();
  let drawnMs = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update(done, total) {
      const nowMs = performance.now();
      if (nowMs - drawnMs < (stream.isTTY ? REDRAW_MS : LINE_MS)) return;
      if (!stream.isTTY && drawnMs === Number.NEGATIVE_INFINITY) {
        drawnMs = nowMs; // short work stays silent where lines cannot be redrawn
        return;
      }
      drawnMs = nowMs;
      drawn = true;
      const share = total ? ` of ${total} (${Math.floor((100 * done) / total)} %)` : '';
      stream.write(stream.isTTY ? `\r\x1b[K${label}: ${done}${share}` : `${label}: ${done}${share}\n`);
    },
    end(summary) {
      if (drawn && stream.isTTY) stream.write('\r\x1b[K');
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      if (summary !== undefined) stream.write(`${label}: ${summary} (${seconds} s)\n`);
    },
  };
}
