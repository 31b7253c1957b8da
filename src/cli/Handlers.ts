/**
 * Which code runs which command. Each is loaded only when it is run, and the tracker with its database only by the
 * commands that need it: start-up is most of what `bd` takes.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import type { Tracker } from "../tracker/Tracker.ts"
import { type CommandSpec, changesIssues, type Input } from "./CommandSpec.ts"
import * as Table from "./CommandTable.ts"
import type { Environment } from "./Environment.ts"
import type { CommandError } from "./ExitCode.ts"
import type { Project } from "./Project.ts"
import type { Session } from "./Session.ts"
import type { Settings } from "./Settings.ts"
import type { Stdio } from "./Stdio.ts"
import type { WorkingDirectory } from "./WorkingDirectory.ts"

/** What every command can use. */
export type Surroundings =
  | Stdio
  | Settings
  | Project
  | Environment
  | WorkingDirectory
  | FileSystem.FileSystem
  | Path.Path

type Run<S extends CommandSpec, R> = (input: Input<S>) => Effect.Effect<void, CommandError, R>

type Handler = (input: Input<CommandSpec>) => Effect.Effect<void, CommandError, Surroundings>

const load = <S extends CommandSpec, R>(module: () => Promise<Run<S, R>>) => {
  const run = (input: Input<CommandSpec>) =>
    // the table types the input of each command, and `CommandTree` makes it by the table
    Effect.flatMap(Effect.promise(module), handler => handler(input as Input<S>))
  return run
}

/** A command that needs no store. */
const alone = <S extends CommandSpec>(_spec: S, module: () => Promise<Run<S, Surroundings>>): Handler => load(module)

/**
 * A command that works on the `.beads` found from here. One that only reads answers from the issue file where the store
 * cannot be used, on a read-only file system or because it is damaged (G26).
 */
const tracked =
  <S extends CommandSpec>(
    spec: S,
    module: () => Promise<Run<S, Surroundings | Tracker | Session>>,
    /** It is the store that is asked about: the issue file alone is no answer. */
    { needsStore = false } = {}
  ): Handler =>
  input =>
    Effect.gen(function* () {
      const { provide } = yield* Effect.promise(() => import("./FoundServices.ts"))
      const command = load(module)(input)
      const mutates = changesIssues(spec, flag => Boolean(input.flags[flag]))
      const attempt = provide({ mutates })(command)
      if (mutates || needsStore) return yield* attempt
      yield* Effect.catchIf(attempt, isUnusableStore, error =>
        Effect.logWarning(
          `${error.message}. Answering from the issue file; changes not published yet are not shown`
        ).pipe(Effect.andThen(provide({ mutates: false, inMemory: true })(command)))
      )
    })

/** A command that has something to say also where its work cannot be done. */
const withFallback =
  <S extends CommandSpec>(
    _spec: S,
    handler: Handler,
    module: () => Promise<(input: Input<S>, error: CommandError) => Effect.Effect<void, CommandError, Surroundings>>
  ): Handler =>
  input =>
    Effect.catchAll(handler(input), error =>
      Effect.flatMap(Effect.promise(module), fallback => fallback(input as Input<S>, error))
    )

/** A store that another version or program owns is refused; one that does not work is gone round. */
const isUnusableStore = (error: CommandError): boolean => error._tag === "StoreError" && error.isOutOfOrder

const handlers: Readonly<Record<Exclude<Table.CommandName, "help">, Handler>> = {
  init: alone(Table.init, () => import("./commands/init.ts").then(module => module.run)),
  create: tracked(Table.create, () => import("./commands/create.ts").then(module => module.run)),
  q: tracked(Table.quick, () => import("./commands/create.ts").then(module => module.quick)),
  update: tracked(Table.update, () => import("./commands/update.ts").then(module => module.run)),
  claim: tracked(Table.claim, () => import("./commands/claim.ts").then(module => module.run)),
  close: tracked(Table.close, () => import("./commands/close.ts").then(module => module.run)),
  reopen: tracked(Table.reopen, () => import("./commands/reopen.ts").then(module => module.run)),
  assign: tracked(Table.assign, () => import("./commands/update.ts").then(module => module.assign)),
  priority: tracked(Table.prioritize, () => import("./commands/update.ts").then(module => module.prioritize)),
  note: tracked(Table.note, () => import("./commands/update.ts").then(module => module.note)),
  delete: tracked(Table.remove, () => import("./commands/delete.ts").then(module => module.run)),
  undelete: tracked(Table.undelete, () => import("./commands/undelete.ts").then(module => module.run)),
  show: tracked(Table.show, () => import("./commands/show.ts").then(module => module.run)),
  list: tracked(Table.list, () => import("./commands/list.ts").then(module => module.run)),
  search: tracked(Table.search, () => import("./commands/list.ts").then(module => module.search)),
  count: tracked(Table.count, () => import("./commands/count.ts").then(module => module.run)),
  ready: tracked(Table.ready, () => import("./commands/ready.ts").then(module => module.run)),
  blocked: tracked(Table.blocked, () => import("./commands/blocked.ts").then(module => module.run)),
  stale: tracked(Table.stale, () => import("./commands/stale.ts").then(module => module.run)),
  stats: tracked(Table.stats, () => import("./commands/stats.ts").then(module => module.run)),
  history: tracked(Table.history, () => import("./commands/history.ts").then(module => module.run)),
  log: tracked(Table.log, () => import("./commands/history.ts").then(module => module.log)),
  "epic status": tracked(Table.epicStatus, () => import("./commands/epic.ts").then(module => module.status)),
  "epic close-eligible": tracked(Table.epicCloseEligible, () =>
    import("./commands/epic.ts").then(module => module.closeEligible)
  ),
  dep: tracked(Table.depBlockedBy, () => import("./commands/dep.ts").then(module => module.blockedBy)),
  "dep add": tracked(Table.depAdd, () => import("./commands/dep.ts").then(module => module.add)),
  link: tracked(Table.link, () => import("./commands/dep.ts").then(module => module.add)),
  "dep remove": tracked(Table.depRemove, () => import("./commands/dep.ts").then(module => module.remove)),
  "dep list": tracked(Table.depList, () => import("./commands/dep.ts").then(module => module.list)),
  "dep tree": tracked(Table.depTree, () => import("./commands/depTree.ts").then(module => module.run)),
  "dep cycles": tracked(Table.depCycles, () => import("./commands/depTree.ts").then(module => module.cycles)),
  graph: tracked(Table.graph, () => import("./commands/graph.ts").then(module => module.run)),
  "label add": tracked(Table.labelAdd, () => import("./commands/label.ts").then(module => module.add)),
  tag: tracked(Table.tag, () => import("./commands/label.ts").then(module => module.add)),
  "label remove": tracked(Table.labelRemove, () => import("./commands/label.ts").then(module => module.remove)),
  "label list": tracked(Table.labelList, () => import("./commands/label.ts").then(module => module.list)),
  "label list-all": tracked(Table.labelListAll, () => import("./commands/label.ts").then(module => module.listAll)),
  comments: tracked(Table.comments, () => import("./commands/comments.ts").then(module => module.list)),
  "comments list": tracked(Table.commentsList, () => import("./commands/comments.ts").then(module => module.list)),
  "comments add": tracked(Table.commentsAdd, () => import("./commands/comments.ts").then(module => module.add)),
  comment: tracked(Table.comment, () => import("./commands/comments.ts").then(module => module.add)),
  export: tracked(Table.exportIssues, () => import("./commands/export.ts").then(module => module.run)),
  import: tracked(Table.importIssues, () => import("./commands/import.ts").then(module => module.run)),
  merge: alone(Table.merge, () => import("./commands/merge.ts").then(module => module.run)),
  flush: tracked(Table.flush, () => import("./commands/flush.ts").then(module => module.run)),
  "flush status": tracked(Table.flushStatus, () => import("./commands/flushStatus.ts").then(module => module.run), {
    needsStore: true
  }),
  sync: tracked(Table.sync, () => import("./commands/sync.ts").then(module => module.run)),
  "rename-prefix": tracked(Table.renamePrefix, () => import("./commands/renamePrefix.ts").then(module => module.run)),
  info: tracked(Table.info, () => import("./commands/info.ts").then(module => module.run)),
  "dolt show": alone(Table.doltShow, () => import("./commands/doltShow.ts").then(module => module.run)),
  where: alone(Table.where, () => import("./commands/where.ts").then(module => module.run)),
  "config get": alone(Table.configGet, () => import("./commands/config.ts").then(module => module.get)),
  "config set": alone(Table.configSet, () => import("./commands/config.ts").then(module => module.set)),
  "config list": alone(Table.configList, () => import("./commands/config.ts").then(module => module.list)),
  "config unset": alone(Table.configUnset, () => import("./commands/config.ts").then(module => module.unset)),
  doctor: alone(Table.doctor, () => import("./commands/doctor.ts").then(module => module.run)),
  duplicates: tracked(Table.duplicates, () => import("./commands/duplicates.ts").then(module => module.run)),
  validate: tracked(Table.validate, () => import("./commands/validate.ts").then(module => module.run)),
  "repair-deps": tracked(Table.repairDeps, () => import("./commands/repairDeps.ts").then(module => module.run)),
  "detect-pollution": tracked(Table.detectPollution, () =>
    import("./commands/detectPollution.ts").then(module => module.run)
  ),
  migrate: tracked(Table.migrate, () => import("./commands/migrate.ts").then(module => module.run)),
  quickstart: alone(Table.quickstart, () => import("./commands/guide.ts").then(module => module.quickstart)),
  prime: withFallback(
    Table.prime,
    tracked(Table.prime, () => import("./commands/prime.ts").then(module => module.run)),
    () => import("./commands/prime.ts").then(module => module.otherwise)
  ),
  onboard: alone(Table.onboard, () => import("./commands/guide.ts").then(module => module.onboard)),
  "completion bash": alone(Table.completionBash, () =>
    import("./commands/completion.ts").then(module => module.run("bash"))
  ),
  "completion zsh": alone(Table.completionZsh, () =>
    import("./commands/completion.ts").then(module => module.run("zsh"))
  ),
  "completion fish": alone(Table.completionFish, () =>
    import("./commands/completion.ts").then(module => module.run("fish"))
  ),
  daemon: alone(Table.daemon, () => import("./commands/later.ts").then(module => module.run("daemon"))),
  hooks: alone(Table.hooks, () => import("./commands/later.ts").then(module => module.run("hooks"))),
  resolve: alone(Table.resolve, () => import("./commands/later.ts").then(module => module.run("resolve"))),
  version: alone(Table.version, () => import("./commands/version.ts").then(module => module.run))
}

/** The code of a command; `help` has none, the reader answers it. */
export const handlerOf = (spec: CommandSpec): Handler =>
  handlers[spec.path.join(" ") as Exclude<Table.CommandName, "help">]
