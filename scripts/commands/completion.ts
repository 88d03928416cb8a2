import { Argument, Command } from 'commander';
import { bashScript, type CommandNode, commandTree, fishScript, zshScript } from '../completion/index.ts';
import { print, printJson } from '../terminal.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, (tree: CommandNode) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** `plimsoll completion`. @param allCommands with their options, of which the completion is made */
export function completionCommand(allCommands: () => Promise<readonly Command[]>): Command {
  return new Command('completion')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .option('--json', 'print the commands and their options as JSON', false)
    .addHelpText(
      'after',
      `
Put one of these where your shell starts:
  source <(plimsoll completion bash)      # ~/.bashrc
  source <(plimsoll completion zsh)       # ~/.zshrc, after compinit
  plimsoll completion fish | source       # ~/.config/fish/config.fish
`,
    )
    .action(async (shell: Shell, { json }: { readonly json: boolean }) => {
      const tree = commandTree(await allCommands());
      if (json) printJson({ shell, ...tree });
      else print(SCRIPTS[shell](tree));
    });
}
