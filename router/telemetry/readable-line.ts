const COLOURS: Readonly<Record<string, number>> = { error: 31, warn: 33, debug: 90 };

/** A JSON log line as a person likes to read it: time, what kind if it is no plain news, message, then the fields. */
export function readableLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = String(time).slice(11, 19);
  const colour = COLOURS[String(level)];
  const kind = colour === undefined ? '' : `\u001b[${colour}m${String(level)}\u001b[0m `;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${plain(value)}`);
  return `${clock} ${kind}${String(msg ?? '')}${rest.join('')}\n`;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
