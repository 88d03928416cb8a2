/** What the site uses of Eleventy, which has no types of its own. */
declare module '@11ty/eleventy' {
  type PageFunction<Data> = (data: Data) => string;

  /** A renderer of markdown-it: what it needs of tokens. */
  interface MarkdownToken {
    readonly content: string;
    readonly children: readonly MarkdownToken[] | null;
    readonly type: string;
    attrGet(name: string): string | null;
    attrSet(name: string, value: string): void;
  }

  interface MarkdownLibrary {
    readonly core: {
      readonly ruler: {
        push(
          name: string,
          rule: (state: { readonly tokens: readonly MarkdownToken[]; readonly env: unknown }) => void,
        ): void;
      };
    };
  }

  interface UserConfig {
    addGlobalData(name: string, value: unknown): void;
    addTemplate<Data>(path: string, content: string | PageFunction<Data>, data?: object): void;
    amendLibrary(name: 'md', change: (library: MarkdownLibrary) => void): void;
    setTemplateFormats(formats: readonly string[]): void;
  }

  export class Eleventy {
    constructor(
      input: string,
      output: string,
      options: { quietMode: boolean; configPath: false; config: (config: UserConfig) => object },
    );
    /** Nothing is written. */
    toJSON(): Promise<readonly { readonly outputPath: string; readonly content: string }[]>;
  }
}
