/** Whole processes: `bd` beside a bare Node, on projects in scratch git repositories. */
import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { realFiles } from "../realFiles.ts"
import {
  bareNode,
  type Command,
  type Cost,
  Failed,
  type Measured,
  measureCommand,
  measured,
  type Place,
  run
} from "./measure.ts"
import { changedLines, issueLines, livingIds, toLines } from "./project.ts"
import { importSize, type ProcessRow, pulledLines, type Size } from "./rows.ts"

/** Programs to measure, each on projects of its own. */
export interface Programs {
  readonly ours: Command
  /** Another build, or another `bd`, beside ours in each pair. */
  readonly other: Command | undefined
}

/** One row: ours against bare Node, and with two programs the other's, and ours against the other's. */
export interface ProcessResult {
  readonly ours: Measured
  readonly other?: Measured
  readonly oursToOther?: Measured
}

interface Project extends Place {
  readonly ids: ReadonlyArray<string>
}

const initialLines = (size: Size): ReadonlyArray<string> =>
  size === "real" ? realFiles.flatMap(([, bytes]) => toLines(bytes.toString())) : issueLines(size)

const git = (cwd: string, ...words: ReadonlyArray<string>) =>
  execFileSync("git", ["-c", "user.name=bench", "-c", "user.email=bench@example.invalid", ...words], {
    cwd,
    stdio: ["ignore", "ignore", "pipe"]
  })

const issueFile = ".beads/issues.jsonl"

/** A publish leaves the file with a stamp that can be trusted at once: from then on nothing has to be read again. */
const settle = (bd: Command, project: Place) => run([...bd, "create", "Settles the stamp"], project)

/** A repository with its issues in store and file, committed; a branch `theirs` has what a pull would bring. */
const makeProject = (bd: Command, directory: string, size: Size): Project => {
  const project = { cwd: join(directory, "project"), output: join(directory, "output") }
  const file = join(project.cwd, issueFile)
  mkdirSync(project.cwd, { recursive: true })
  git(project.cwd, "init", "-q", "-b", "ours")
  run([...bd, "init", "--prefix", "bench"], project)
  const initial = initialLines(size)
  if (initial.length > 0) {
    writeFileSync(file, initial.join(""))
    settle(bd, project)
  }
  git(project.cwd, "add", "-A")
  git(project.cwd, "commit", "-q", "-m", "Issues")
  if (initial.length > 0) {
    git(project.cwd, "checkout", "-q", "-b", "theirs")
    writeFileSync(file, changedLines(toLines(readFileSync(file, "utf8")), pulledLines).join(""))
    git(project.cwd, "commit", "-q", "-a", "-m", "Theirs")
    git(project.cwd, "checkout", "-q", "ours")
  }
  return { ...project, ids: livingIds(initial) }
}

/** The project of one build for one row: what its runs change is seen by no other row. */
const forRow = (row: ProcessRow, bd: Command, origin: Project, directory: string) => {
  const { ids } = origin
  const project = { cwd: join(directory, "project"), output: join(directory, "output") }
  const input = join(directory, "input.jsonl")
  const copy = () => {
    rmSync(project.cwd, { recursive: true, force: true })
    cpSync(origin.cwd, project.cwd, { recursive: true, preserveTimestamps: true })
  }
  mkdirSync(directory)
  copy()
  if (row.before === "empty") writeFileSync(input, issueLines(importSize).join(""))
  // the store knows the file by its inode, and a copy has another
  else if (row.size !== 0) settle(bd, project)
  let runs = 0
  return {
    /** Between two runs, untimed. */
    next: (): void => {
      runs += 1
      if (row.before === "pull") git(project.cwd, "checkout", "-q", runs % 2 === 0 ? "ours" : "theirs", "--", issueFile)
      if (row.before === "empty") copy()
    },
    measure: (): Promise<Cost> => {
      const command: Command = [...bd, ...row.words(runs, ids), ...(row.before === "empty" ? ["-i", input] : [])]
      return measureCommand(command, project, row.atOnce)
    }
  }
}

/** Measures rows; what it makes lies in `scratch`. */
export const make = ({ ours, other }: Programs, scratch: string) => {
  const projects = new Map<string, Project>()
  const projectOf = (bd: Command, size: Size): Project => {
    const key = `${bd.join(" ")} ${size}`
    const project = projects.get(key) ?? makeProject(bd, join(scratch, `project-${projects.size}`), size)
    projects.set(key, project)
    return project
  }
  const measureFloor = (row: ProcessRow): Promise<Cost> =>
    measureCommand(bareNode, { cwd: scratch, output: join(scratch, "output") }, row.atOnce)
  let rows = 0

  const measureBeside = async (
    row: ProcessRow,
    runs: number,
    programs: ReadonlyArray<Command>
  ): Promise<ProcessResult> => {
    rows += 1
    const size = row.before === "empty" ? 0 : row.size
    const candidates = programs.map((bd, index) => ({
      ...forRow(row, bd, projectOf(bd, size), join(scratch, `row-${rows}-${index}`)),
      costs: [] as Array<Cost>
    }))
    const floors: Array<Cost> = []
    // the first run warms the caches of the system
    for (let run = -1; run < runs; run += 1) {
      for (const candidate of candidates) candidate.next()
      const contest = [
        async () => floors.push(await measureFloor(row)),
        ...candidates.map(
          ({ costs, measure }) =>
            async () =>
              costs.push(await measure())
        )
      ]
      // each goes first in its turn
      const first = (run + 1) % contest.length
      for (const measure of [...contest.slice(first), ...contest.slice(0, first)]) await measure()
    }
    const pairs = (costs: ReadonlyArray<Cost>, against: ReadonlyArray<Cost>) =>
      measured(
        costs.flatMap((cost, index) => {
          const floor = against[index]
          return index === 0 || floor === undefined ? [] : [[cost, floor] as const]
        })
      )
    const [mine, others] = candidates.map(({ costs }) => costs)
    for (const [index] of candidates.entries()) rmSync(join(scratch, `row-${rows}-${index}`), { recursive: true })
    return {
      ours: pairs(mine ?? [], floors),
      ...(others === undefined ? {} : { other: pairs(others, floors), oursToOther: pairs(mine ?? [], others) })
    }
  }
  return async (row: ProcessRow, runs: number): Promise<ProcessResult> => {
    if (other === undefined) return measureBeside(row, runs, [ours])
    try {
      return await measureBeside(row, runs, [ours, other])
    } catch (error) {
      // another tool need not have all that ours has
      if (!(error instanceof Failed) || !error.message.startsWith(other.join(" "))) throw error
      console.error(`not measured beside ours: ${error.message.split("\n", 1)[0]}`)
      return measureBeside(row, runs, [ours])
    }
  }
}
