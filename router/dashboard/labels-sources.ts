const SOURCES: Readonly<Record<string, string>> = {
  judge: 'a judge',
  grader: 'graders (rules)',
  human: 'people',
  feedback: 'feedback of users',
};

/** Who gave a label, in words. @param source as the cases say; undefined if they do not */
export function sourceName(source: string | undefined): string {
  if (source === undefined) return 'not said';
  return Object.hasOwn(SOURCES, source) ? SOURCES[source]! : source;
}
