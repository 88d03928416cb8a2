type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Rest}`
  ? `${Head}${Capitalize<CamelCase<Rest>>}`
  : Name;

export type CamelCased<Fields> = {
  readonly [Name in keyof Fields as Name extends string ? CamelCase<Name> : never]: Fields[Name];
};

/** The file has its fields in snake_case, the code has them in camelCase: the transform of every object of the schema with fixed fields. */
export function camelCased<Fields extends object>(fields: Fields): CamelCased<Fields> {
  const renamed = Object.entries(fields).map(([name, value]) => [
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(renamed) as CamelCased<Fields>;
}
