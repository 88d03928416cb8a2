/**
 * `Content-Disposition` of a download (RFC 6266): the name in ASCII, and, if it has other characters or a percent sign, which some clients decode, as
 * `filename*` in UTF-8 (RFC 8187) too.
 */
export function attachment(fileName: string): string {
  const name = Buffer.from(fileName).toString(); // half a pair of surrogates has no UTF-8
  const ascii = name.replaceAll(/[^\x20-\x7e]|%/gu, '_');
  const plain = `attachment; filename="${ascii.replaceAll(/["\\]/g, '\\$&')}"`;
  return ascii === name ? plain : `${plain}; filename*=UTF-8''${extended(name)}`;
}

/** What `encodeURIComponent` leaves, less what RFC 8187 does not allow. */
function extended(name: string): string {
  return encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
