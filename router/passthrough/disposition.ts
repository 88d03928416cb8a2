/** What the head of a part of a form says. */
export interface Disposition {
  readonly name: string | undefined;
  readonly isFile: boolean;
  /** As the client has it, of any characters. */
  readonly fileName: string | undefined;
}

const DISPOSITION = /^content-disposition:\s*form-data\s*(;.*)/is;
/** Each character in quotes can be read in one way alone: what ends in no quote is given up at once. */
const PARAMETER = /;\s*([!#$%&'*+.^`|~\w-]+)\s*=\s*(?:"((?:[^"\\]|\\["\\]|\\(?!["\\]))*)"|([^\s;"]*))\s*/gy;
const EXTENDED = /^(utf-8|iso-8859-1)'[^']*'(.*)$/i;

/**
 * Reads Content-Disposition of a part (RFC 7578, section 4.2). In quotes `\"` and `\\` are escapes, as curl writes them, and so are %22, %0D and %0A, as browsers
 * write them (HTML, multipart form data); any other backslash or percent sign is itself. `filename*` (RFC 8187), which some clients write for names
 * beyond ASCII, goes before `filename`.
 * @returns undefined if it is not one, or there is a second one: whoever reads it next may take the other
 */
export function disposition(head: string): Disposition | undefined {
  const [parameterText = '', ...others] = head
    .split('\r\n')
    .flatMap((line) => DISPOSITION.exec(line)?.[1] ?? []);
  if (others.length > 0) return undefined;
  const parameters = parametersOf(parameterText);
  if (parameters === undefined) return undefined;
  const plain = parameters.get('filename');
  const extended = parameters.get('filename*');
  return {
    name: parameters.get('name'),
    isFile: plain !== undefined || extended !== undefined,
    fileName: (extended && extendedValue(extended)) ?? plain,
  };
}

/** Undefined if it has none of that form, or one twice. */
function parametersOf(text: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  let end = 0;
  for (const [whole, name = '', quoted, plain = ''] of text.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (found.has(key)) return undefined;
    found.set(key, quoted === undefined ? plain : unescaped(quoted));
    end += whole.length;
  }
  return text.slice(end).replaceAll(/[;\s]/g, '') === '' ? found : undefined;
}

function unescaped(quoted: string): string {
  return quoted
    .replaceAll(/\\(["\\])/g, '$1')
    .replaceAll(/%(22|0D|0A)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Undefined if it is no such value. */
function extendedValue(value: string): string | undefined {
  const [, charset = '', encoded = ''] = EXTENDED.exec(value) ?? [];
  if (charset === '') return undefined;
  const bytes = encoded.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString(charset.toLowerCase() === 'utf-8' ? 'utf8' : 'latin1');
}
