/** A text as one word of a POSIX shell, for commands that are shown to be pasted: in quotes only if it has to be. */
export function shellWord(text: string): string {
  return /^[\w./:,=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
