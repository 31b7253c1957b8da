/**
 * Walks through every state that a model can reach, breadth first, so that a counterexample is one of the shortest.
 * States travel as their JSON text: equal texts are one state, and each step works on a copy of its own.
 */

/** One thing that can happen next. `run` changes the copy it is given. */
export interface Step<S> {
  readonly name: string
  readonly run: (state: S) => void
}

export interface Model<S> {
  readonly initial: S
  /** Everything that can happen in a state; nothing: the end. */
  readonly steps: (state: S) => ReadonlyArray<Step<S>>
  /** What a state breaks, if anything; `ended`: nothing can happen any more. */
  readonly broken: (state: S, ended: boolean) => string | undefined
}

export interface Exploration {
  readonly states: number
  readonly steps: number
  /** Ways to end, each of them judged. */
  readonly ends: number
  /** Names of all steps that were taken at least once. */
  readonly taken: ReadonlySet<string>
  readonly counterexample: { readonly broken: string; readonly trace: ReadonlyArray<string> } | undefined
}

export const explore = <S>(model: Model<S>, limit = 2_000_000): Exploration => {
  const first = JSON.stringify(model.initial)
  const states = [first]
  const seen = new Set(states)
  const cameFrom: Array<{ readonly parent: number; readonly name: string } | undefined> = [undefined]
  const taken = new Set<string>()
  let steps = 0
  let ends = 0
  for (let at = 0; at < states.length; at++) {
    if (at >= limit) throw new Error(`more than ${limit} states`)
    const text = states[at] ?? first
    const state: S = JSON.parse(text)
    const possible = model.steps(state)
    if (possible.length === 0) ends++
    const broken = model.broken(state, possible.length === 0)
    if (broken !== undefined) {
      const trace: Array<string> = []
      for (let from = cameFrom[at]; from !== undefined; from = cameFrom[from.parent]) trace.unshift(from.name)
      return { states: at + 1, steps, ends, taken, counterexample: { broken, trace } }
    }
    for (const { name, run } of possible) {
      const next: S = JSON.parse(text)
      run(next)
      steps++
      taken.add(name)
      const key = JSON.stringify(next)
      if (seen.has(key)) continue
      seen.add(key)
      states.push(key)
      cameFrom.push({ parent: at, name })
    }
  }
  return { states: states.length, steps, ends, taken, counterexample: undefined }
}
