import { type CommandNode, treeNodes } from './command-tree.ts';

/** For `source <(plimsoll completion bash)`. Where nothing of Plimsoll's fits, bash completes names of files. */
export function bashScript(tree: CommandNode): string {
  const nodes = treeNodes(tree);
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [quoted(path)]));
  const values = nodes.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flag, choices }) => `    ${quoted(`${path} ${flag}`)}) words=${quoted(choices.join(' '))} ;;`),
  );
  const words = nodes.map(
    (node) => `      ${quoted(node.path)}) words=${quoted(wordsOf(node).join(' '))} ;;`,
  );
  return `# Completion of plimsoll for bash: source <(plimsoll completion bash)
_plimsoll() {
  local at='' words='' current=\${COMP_WORDS[COMP_CWORD]} i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${at:+$at }\${COMP_WORDS[i]}" in
    ${paths.join(' | ')}) at="\${at:+$at }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at \${COMP_WORDS[COMP_CWORD - 1]}" in
${values.join('\n')}
    *)
      case "$at" in
${words.join('\n')}
      esac
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o bashdefault -o default -F _plimsoll plimsoll
`;
}

function wordsOf({ commands, choices, options }: CommandNode): string[] {
  return [...commands.map(({ name }) => name), ...choices, ...options.map(({ flag }) => flag)];
}

/** A word of bash, zsh and fish: nothing in it is expanded. None of the texts has a single quote or a backslash left. */
export function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '’')}'`;
}
