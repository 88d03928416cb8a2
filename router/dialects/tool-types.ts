import type { Dialect } from '../catalog/index.ts';
import { isObject } from '../json/index.ts';
import type { Losses } from './losses.ts';

/** The type of tools that the client itself runs and describes by a schema: only these have a counterpart in every API. */
const OWN_TYPES: Readonly<Record<Dialect, readonly unknown[]>> = {
  openai: ['function', undefined, null],
  anthropic: ['custom', undefined, null],
};

/** Types of tools without their dates, by who must know them. */
const SERVER_TOOLS =
  /^(web_search|web_fetch|code_execution|advisor|tool_search_tool_(?:regex|bm25)|mcp_toolset)(?:_\d{8})?$/;
const CLAUDE_TOOLS = /^(bash|text_editor|computer|memory)_\d{8}$/;

/**
 * The body without the tools whose types belong to one API alone.
 * @throws PlimsollError `invalid-input` that says what the first one is and who can carry it, unless the rule allows dropping it
 */
export function withoutForeignTools<Body extends Readonly<Record<string, unknown>>>(
  body: Body,
  dialect: Dialect,
  losses: Losses,
): Body {
  const { tools } = body;
  if (!Array.isArray(tools)) return body;
  const own = tools.filter((tool, at) => {
    const type: unknown = isObject(tool) ? tool['type'] : undefined;
    if (OWN_TYPES[dialect].includes(type)) return true;
    losses.drop(['tools', at, 'type'], whatItIs(String(type), dialect));
    return false;
  });
  return own.length === tools.length ? body : { ...body, tools: own };
}

/** A type is quoted only if it is a known one. */
function whatItIs(type: string, dialect: Dialect): string {
  if (dialect === 'openai') {
    const what =
      type === 'custom'
        ? 'custom tools are known to OpenAI alone'
        : 'only tools of the type function can be mapped';
    return `${what}; a model whose provider is of the kind openai or openai-compatible gets them as they are`;
  }
  const server = SERVER_TOOLS.exec(type)?.[1];
  const claude = CLAUDE_TOOLS.exec(type)?.[1];
  const what =
    (server && `${server} is a tool that Anthropic runs on its own servers`) ??
    (claude && `${claude} is a tool whose form Claude models know without a schema`) ??
    'only tools of the type custom, with an input_schema, can be mapped';
  return `${what}; a model whose provider is of the kind anthropic can carry it`;
}
