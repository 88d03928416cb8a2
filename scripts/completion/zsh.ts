import { quoted } from './bash.ts';
import { type CommandNode, type OptionNode, treeNodes } from './command-tree.ts';

/** For a file _plimsoll in a folder of `fpath`, or `source <(plimsoll completion zsh)`. */
export function zshScript(tree: CommandNode): string {
  const nodes = treeNodes(tree);
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [quoted(path)]));
  const values = nodes.flatMap(({ path, options }) =>
    options.filter(({ takesValue }) => takesValue).map((option) => valueCase(path, option)),
  );
  const words = nodes.map((node) => {
    const found = [
      ...node.commands.map(({ name, description }) => described(name, description)),
      ...node.choices.map(quoted),
    ];
    const options = node.options.map(({ flag, description }) => described(flag, description));
    return `    ${quoted(node.path)}) found=(${found.join(' ')}) options=(${options.join(' ')}) ;;`;
  });
  return `#compdef plimsoll
# Completion of plimsoll for zsh: source <(plimsoll completion zsh)
_plimsoll() {
  local at='' word
  local -a found options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in
    ${paths.join('|')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${words.join('\n')}
  esac
  (( $#found )) && _describe plimsoll found
  if [[ "\${words[CURRENT]}" == -* ]] || (( ! $#found )); then _describe option options; fi
  [[ "\${words[CURRENT]}" == -* ]] || (( $#found )) || _files
}
if [[ "\${funcstack[1]}" == _plimsoll ]]; then _plimsoll "$@"; else compdef _plimsoll plimsoll; fi
`;
}

function valueCase(path: string, { flag, choices }: OptionNode): string {
  const done = choices.length === 0 ? '_files' : `compadd -- ${choices.map(quoted).join(' ')}`;
  return `    ${quoted(`${path} ${flag}`)}) ${done}; return ;;`;
}

/** `name:description`, as _describe reads it. */
function described(name: string, description: string): string {
  return quoted(`${name.replaceAll(':', '\\:')}:${description}`);
}
