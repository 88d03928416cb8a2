/** Completion for shells, made of the options that the commands themselves declare. */
export { bashScript } from './bash.ts';
export { type CommandNode, commandTree, leavesOf, type OptionNode, treeNodes } from './command-tree.ts';
export { fishScript } from './fish.ts';
export { zshScript } from './zsh.ts';
