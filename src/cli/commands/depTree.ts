import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import type { Input } from "../CommandSpec.ts"
import type { depTree } from "../CommandTable.ts"
import * as Escape from "../Escape.ts"
import * as Filters from "../Filters.ts"
import * as GraphText from "../GraphText.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"
import * as Render from "../Render.ts"

export const run = Effect.fn("bd.dep.tree")(function* ({ args, flags }: Input<typeof depTree>) {
  const tracker = yield* Tracker
  const reverse = flags.reverse || flags.direction === "up"
  const nodes = yield* tracker.dependencyTree(
    args.id,
    Filters.given({ maxDepth: flags["max-depth"], reverse, allPaths: flags["show-all-paths"] })
  )
  const options = { reverse, maxDepth: flags["max-depth"] }
  yield* Output.answer({
    json: () => nodes.map(GraphText.treeJson),
    text: () => {
      if (flags.format === "mermaid") return GraphText.mermaid(nodes, reverse)
      if (flags.format === "dot") return GraphText.dotTree(nodes, reverse)
      return GraphText.tree(nodes, options)
    },
    drawn:
      flags.format === undefined || flags.format === "text"
        ? (tables, screen) => tables.tree(nodes, options, screen)
        : undefined
  })
})

export const cycles = Effect.fn("bd.dep.cycles")(function* () {
  const tracker = yield* Tracker
  const found = yield* tracker.cycles
  yield* Output.answer({
    json: () => found.map(cycle => cycle.map(Render.json)),
    text: () =>
      found.length === 0
        ? "\n✓ No dependency cycles detected\n"
        : [
            `\n⚠ Found ${Plural.of(found.length, "dependency cycle")}:\n`,
            ...found.map((cycle, i) => {
              const ids = cycle.map(({ id }) => Escape.line(id))
              return `${i + 1}. ${[...ids, ids[0] ?? ""].join(" → ")}`
            }),
            ""
          ].join("\n")
  })
})
