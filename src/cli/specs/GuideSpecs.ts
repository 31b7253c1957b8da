/** Commands that tell how to work with `bd`, to people, agents and shells. */
import { spec } from "./Parts.ts"

const completion = { positionals: {}, flags: {}, mutates: false } as const

export const completionBash = spec({
  ...completion,
  path: ["completion", "bash"],
  summary: "Print the completion of bd for bash",
  examples: ["bd completion bash > ~/.local/share/bash-completion/completions/bd"]
})

export const completionZsh = spec({
  ...completion,
  path: ["completion", "zsh"],
  summary: "Print the completion of bd for zsh",
  examples: ["bd completion zsh > ~/.zsh/completions/_bd"],
  notes: "The file is named _bd, in a directory of $fpath."
})

export const completionFish = spec({
  ...completion,
  path: ["completion", "fish"],
  summary: "Print the completion of bd for fish",
  examples: ["bd completion fish > ~/.config/fish/completions/bd.fish"]
})
