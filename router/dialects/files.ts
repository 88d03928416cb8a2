import type { FilePart } from './sdk-types.ts';
import type { Target } from './target.ts';
import { unmappable } from './unmappable.ts';

type Path = readonly PropertyKey[];

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+);base64,/;

/** A file in base64 as a part of a prompt. @param mediaType such as image/png */
export function fileOf(mediaType: string, base64: string): FilePart {
  return { type: 'file', mediaType, data: base64 };
}

/**
 * A picture or a document at a URL, `data:` or http(s), as a part of a prompt.
 * @param mediaType - such as `image/*` or `application/pdf`
 * @throws PlimsollError that names the field
 */
export function fileAt(address: string, mediaType: string, target: Target, path: Path): FilePart {
  if (address.startsWith('data:')) return fileIn(address, mediaType, path);
  if (!URL.canParse(address)) throw unmappable(path, 'is not a URL');
  const url = new URL(address);
  if (!target.fetches(url, mediaType)) {
    throw unmappable(
      path,
      "the chosen model's provider does not fetch this address; send the file as base64",
    );
  }
  return { type: 'file', mediaType, data: url };
}

function fileIn(dataUrl: string, mediaType: string, path: Path): FilePart {
  const [head, found] = DATA_URL.exec(dataUrl) ?? [];
  const wanted = mediaType.endsWith('/*') ? mediaType.slice(0, -1) : mediaType;
  if (head === undefined || !found!.startsWith(wanted) || head.length === dataUrl.length) {
    throw unmappable(path, `a data URL must be data:${mediaType.replace('*', '…')};base64,…`);
  }
  return fileOf(found!, dataUrl.slice(head.length));
}
