/**
 * The protocol of ARCHITECTURE.md as transitions between states: processes that take the lock, reconcile, change and
 * publish, one step of its table after another, while other programs write the issue file and anything is killed or
 * loses power at any moment.
 *
 * There are two issues. A content, of a row or of the file, is a set of bits: each is something that was written into an
 * issue, at even places into the one, at odd places into the other. The lines merge as labels do, three-way by sets.
 * The database is taken for granted (a transaction is one step, and lasts), and so is a file's own content (a program
 * outside replaces it in one step, unless it is `torn` or git); directory and lock are not.
 */
import type { Model, Step } from "./explore.ts"

export const issues = [0x55555, 0xaaaaa] as const
/** What stands in both issues from the start; `first + labels` is the whole of it. */
export const first = 0b0011
export const labels = { one: 0b0100, two: 0b1000 } as const
const initial = first | labels.one | labels.two
/** A bit that a program writes into an issue: the n-th program, its first or second issue. */
export const edit = (n: number, issue: 0 | 1): number => 1 << (4 + 2 * n + issue)

interface Inode {
  content: number
  /** False: cut off. */
  whole: boolean
  /** Whether the content has been fsynced. */
  synced: boolean
}

interface Directory {
  file: number | null
  aside: number | null
}

interface Mark {
  revision: number
  base: number
}

/** One hold of the lock: a change, a publish, or both; neither is a read. */
export interface Hold {
  readonly change?: number
  readonly publish?: boolean
}

type Place =
  | "lock"
  | "recover"
  | "read"
  | "reconcile"
  | "change"
  | "encode"
  | "write"
  | "fsync"
  | "git"
  | "look"
  | "link"
  | "rename"
  | "fsync directory"
  | "compare"
  | "absorb"
  | "discard"
  | "clear"
  | "record"
  | "unlock"
  | "fail"
  | "done"

interface Process {
  readonly name: string
  holds: Array<Hold>
  at: Place
  changed: boolean
  /** The file as it was read; none: it was missing. */
  read: { inode: number; content: number } | null
  temp: number | null
  /** What is being published: the rows and their revisions; `issues`: which of them. */
  encoded: { rows: number; revisions: Array<number>; issues: Array<number>; bytes: number } | null
  /** All it has changed so far. */
  made: number
}

type Outside =
  /** Reads, and writes what it makes of it later. `torn`: cuts the file off before it writes it. */
  | {
      readonly kind: "editor"
      readonly adds: number
      readonly removes: number
      readonly how: "in place" | "renames" | "torn"
      at: "reads" | "writes" | "ends" | "done"
      content: number
      inode: number | null
    }
  /** Replaces the file by unlink, create, write under `index.lock`; `back`: by what was there at the start. */
  | {
      readonly kind: "git"
      readonly adds: number
      readonly back: boolean
      at: "locks" | "unlinks" | "creates" | "writes" | "unlocks" | "done"
      content: number
      inode: number | null
    }
  /** Removes the issue file, or the lock file. */
  | { readonly kind: "remover"; readonly what: "file" | "lock"; at: "removes" | "done" }

export interface State {
  inodes: Record<string, Inode>
  directory: Directory
  /** What a loss of power may leave of the directory; the last is the directory as it is. */
  lasting: Array<Directory>
  indexLock: boolean
  /** Who holds the lock. */
  lock: number | null
  rows: number
  revisions: Array<number>
  marks: Array<Mark | null>
  /** The content whose hash is on record. */
  record: number | null
  /** Versions: lines that were bases once, so that the rows descend from them. */
  versions: Array<number>
  processes: Array<Process>
  outside: Array<Outside>
  kills: number
  powerLosses: number
  /** Told to a caller: stands in the store. And: stands in the file. */
  acknowledged: number
  published: number
  /** Written by programs outside, taken out by them, and overwritten by them in the file unread. */
  written: number
  removed: number
  overwritten: number
}

/** The ways to get it wrong, each a variant of the protocol. */
export type Mutant =
  | "no lock"
  | "lock outlives its holder"
  | "publish without reconcile"
  | "rebuild over an unread file"
  | "file record before the rows"
  | "base taken at each change"
  | "git not waited for"
  | "written in place"
  | "no fsync of the temp file"
  | "no look before the rename"
  | "no aside"
  | "no look and no aside"
  | "aside not compared"
  | "aside of a crash let go"
  | "cleared before the fsync of the directory"
  | "cleared by id"
  | "rename of a crash taken for durable"
  | "cleared before the file record"
  | "hash of the file read again"
  | "cleared, then absorbed"
  | "aside of a crash merged without base"
  | "aside of a recorded publish merged"
  | "aside compared while git writes"

export interface Scenario {
  readonly processes: ReadonlyArray<{ readonly name: string; readonly holds: ReadonlyArray<Hold> }>
  readonly outside?: ReadonlyArray<Outside>
  readonly kills?: number
  readonly powerLosses?: number
  /** Whether a program outside may replace the file between our link and our rename, which no call can exclude. */
  readonly gap?: boolean
  /** Whether the calls of step 10 are one, for nobody can come between them, where two may hold the lock. */
  readonly together?: boolean
  /** Whether the file is there at the start. */
  readonly missing?: boolean
  readonly mutant?: Mutant
}

// ---------------------------------------------------------------------------------------------------------------------
// Who does what
// ---------------------------------------------------------------------------------------------------------------------

/** A `bd` command: change and publish under one hold. */
export const command = (name: string, change: number) => ({ name, holds: [{ change, publish: true }] })
/** An embedder: each change in a hold of its own, the flush in another. */
export const embedder = (name: string, ...changes: ReadonlyArray<number>) => ({
  name,
  holds: [...changes.map(change => ({ change })), { publish: true }]
})
export const reader = (name: string) => ({ name, holds: [{}] })

export const editor = (how: "in place" | "renames" | "torn", adds: number, removes = 0): Outside => ({
  kind: "editor",
  adds,
  removes,
  how,
  at: "reads",
  content: 0,
  inode: null
})
export const pull = (adds: number): Outside => ({
  kind: "git",
  adds,
  back: false,
  at: "locks",
  content: 0,
  inode: null
})
export const checkout: Outside = { kind: "git", adds: 0, back: true, at: "locks", content: 0, inode: null }
export const remover = (what: "file" | "lock"): Outside => ({ kind: "remover", what, at: "removes" })

const newProcess = (name: string, holds: ReadonlyArray<Hold>): Process => ({
  name,
  holds: [...holds],
  at: "lock",
  changed: false,
  read: null,
  temp: null,
  encoded: null,
  made: 0
})

// ---------------------------------------------------------------------------------------------------------------------
// Contents, inodes, the directory
// ---------------------------------------------------------------------------------------------------------------------

/** Three-way, by sets: what one side removed is gone, what one side added is there. */
const merge = (base: number, sides: ReadonlyArray<number>): number => {
  let added = 0
  let removed = 0
  for (const side of sides) {
    added |= side & ~base
    removed |= base & ~side
  }
  return (base | added) & ~removed
}

const inodeAt = (s: State, number: number | null): Inode => {
  const inode = number === null ? undefined : s.inodes[number]
  if (inode === undefined) throw new Error(`no inode ${number}`)
  return inode
}

const contentAt = (s: State, number: number | null): number | null =>
  number === null ? null : inodeAt(s, number).content

/** Numbers are used again when nothing leads to their inode, so that equal states look equal. */
const newInode = (s: State, inode: Inode): number => {
  const used = new Set<number | null>([
    ...s.lasting.flatMap(({ aside, file }) => [aside, file]),
    ...s.processes.flatMap(({ read, temp }) => [read?.inode ?? null, temp]),
    ...s.outside.map(program => (program.kind === "remover" ? null : program.inode))
  ])
  for (const number of Object.keys(s.inodes)) if (!used.has(Number(number))) delete s.inodes[number]
  let number = 0
  while (s.inodes[number] !== undefined) number++
  s.inodes[number] = inode
  return number
}

/** A change of the directory: there at once, lasting from the next fsync on. */
const enter = (s: State, change: Partial<Directory>) => {
  s.directory = { ...s.directory, ...change }
  s.lasting.push(s.directory)
}

const fsyncDirectory = (s: State) => {
  s.lasting = [s.directory]
}

// ---------------------------------------------------------------------------------------------------------------------
// Steps of a process, in the order of ARCHITECTURE.md
// ---------------------------------------------------------------------------------------------------------------------

const baseOf = (s: State, issue: number): number => s.marks[issue]?.base ?? s.rows & (issues[issue] ?? 0)

const setRow = (s: State, issue: number, line: number) => {
  s.rows = (s.rows & ~(issues[issue] ?? 0)) | line
  s.revisions[issue] = (s.revisions[issue] ?? 0) + 1
}

const setMark = (s: State, issue: number, base: number) => {
  s.marks[issue] = { revision: s.revisions[issue] ?? 0, base }
}

const remember = (s: State, base: number) => {
  s.versions = [...new Set([...s.versions, base])].sort((a, b) => a - b)
}

/** 5: what the file's lines mean for the rows. */
const follow = (s: State, file: number) => {
  issues.forEach((mask, issue) => {
    const line = file & mask
    const row = s.rows & mask
    const base = baseOf(s, issue)
    if (line === 0) {
      if (row !== 0 && s.marks[issue] === null) setMark(s, issue, row)
    } else if (line === row) {
      remember(s, base === row ? 0 : base)
      s.marks[issue] = null
    } else if (line !== base) {
      remember(s, base)
      const next = row === base ? line : merge(base, [row, line])
      setRow(s, issue, next)
      if (next === line) s.marks[issue] = null
      else setMark(s, issue, line)
    }
  })
}

/** 3 and 12: another file's lines as one more version; bases stay. */
const absorb = (s: State, file: number, ancestor: (issue: number) => number) => {
  issues.forEach((mask, issue) => {
    const line = file & mask
    const row = s.rows & mask
    if (line === 0 || line === row) return
    const next = merge(ancestor(issue) & mask, [row, line])
    if (next === row) return
    const base = baseOf(s, issue)
    setRow(s, issue, next)
    setMark(s, issue, base)
  })
}

/** Lets the aside of a crash go, or one that was absorbed, for good; what was renamed before lasts with it. */
const letGo = (s: State, mutant: Mutant | undefined) => {
  enter(s, { aside: null })
  if (mutant !== "rename of a crash taken for durable") fsyncDirectory(s)
}

/** Of an aside that a crash left: the lines that the rows do not descend from. */
const news = (s: State, left: number): number =>
  issues.reduce((lines, mask) => (s.versions.includes(left & mask) ? lines : lines | (left & mask)), 0)

const gitIsAtWork = (s: State, mutant: Mutant | undefined) => s.indexLock && mutant !== "git not waited for"

/** The next step of a process; none while it has to wait. */
const stepOf = (s: State, self: number, mutant: Mutant | undefined): Step<State> | undefined => {
  const { at, holds, name, read } = s.processes[self] ?? newProcess("", [])
  const step = (label: string, run: (s: State, me: Process) => void): Step<State> => ({
    name: `${name}: ${label}`,
    run: s => {
      const me = s.processes[self]
      if (me !== undefined) run(s, me)
    }
  })
  const hold = holds[0]
  const noAside = mutant === "no aside" || mutant === "no look and no aside"
  /** Drops what was prepared: step 10 went wrong, or the process ends its hold. */
  const drop = (me: Process) => {
    me.read = null
    me.temp = null
    me.encoded = null
  }

  switch (at) {
    case "lock":
      if (s.lock !== null && mutant !== "no lock") return undefined
      return step("takes the lock", (s, me) => {
        s.lock = self
        me.at = "recover"
      })
    case "recover":
      // the aside may be a file that git is still writing to
      if (s.directory.aside !== null && gitIsAtWork(s, mutant)) return undefined
      return step("looks for an aside", (s, me) => {
        const { aside, file } = s.directory
        me.at = mutant === "publish without reconcile" ? "change" : "read"
        if (aside === null) return
        const left = inodeAt(s, aside).content
        if (aside === file || left === s.record || mutant === "aside of a crash let go") {
          return letGo(s, mutant)
        }
        // not recorded yet, so the bases are what the publish had read; unless power was lost after it was recorded
        const base = (issue: number) => (mutant === "aside of a crash merged without base" ? 0 : baseOf(s, issue))
        absorb(s, mutant === "aside of a recorded publish merged" ? left : news(s, left), base)
        me.at = "discard"
      })
    case "read":
      if (gitIsAtWork(s, mutant)) return undefined
      return step("reads", (s, me) => {
        const { file } = s.directory
        me.read = file === null ? null : { inode: file, content: inodeAt(s, file).content }
        me.at = me.read === null || me.read.content === s.record ? "change" : "reconcile"
      })
    case "reconcile":
      if (mutant === "file record before the rows" && (read?.content ?? null) !== s.record) {
        return step("records what it read", s => {
          s.record = read?.content ?? null
        })
      }
      return step("reconciles", (s, me) => {
        const marked = s.marks.filter(mark => mark !== null).length
        if (me.read !== null && mutant !== "rebuild over an unread file") follow(s, me.read.content)
        // a crash may have come between the rename and the fsync: what clears a mark is made to last before the commit
        if (s.marks.filter(mark => mark !== null).length < marked && mutant !== "rename of a crash taken for durable")
          fsyncDirectory(s)
        s.record = me.read?.content ?? null
        me.at = "change"
      })
    case "change":
      return step("changes", (s, me) => {
        me.at = hold?.publish === true ? "encode" : "unlock"
        if (me.changed || hold?.change === undefined) return
        const { change } = hold
        const issue = issues.findIndex(mask => (change & mask) !== 0)
        const base = mutant === "base taken at each change" ? s.rows & (issues[issue] ?? 0) : baseOf(s, issue)
        setRow(s, issue, (s.rows & (issues[issue] ?? 0)) | change)
        setMark(s, issue, base)
        me.made |= change
        me.changed = true
      })
    case "encode":
      if (gitIsAtWork(s, mutant)) return undefined
      return step("encodes", (s, me) => {
        const { file } = s.directory
        const content = contentAt(s, file)
        const full = file === null || mutant === "rebuild over an unread file"
        const chosen = issues.flatMap((_, issue) => (full || s.marks[issue] !== null ? [issue] : []))
        if (chosen.length === 0) {
          me.at = "unlock"
          return drop(me)
        }
        if (content !== null && content !== s.record && mutant !== "publish without reconcile") {
          me.at = "read"
          return drop(me)
        }
        const replaced = chosen.reduce((mask, issue) => mask | (issues[issue] ?? 0), 0)
        const bytes = ((content ?? 0) & ~replaced) | (s.rows & replaced)
        me.read = file === null || content === null ? null : { inode: file, content }
        me.encoded = { rows: s.rows, revisions: [...s.revisions], issues: chosen, bytes }
        me.at = bytes === content ? "clear" : "write"
        if (bytes === content && mutant !== "rename of a crash taken for durable") fsyncDirectory(s)
      })
    case "write":
      return step("writes the temp file", (s, me) => {
        // the lock file may have been taken away (`git clean`), and another process hold a new one
        if (s.lock !== self && mutant !== "no lock") {
          me.at = "fail"
          return drop(me)
        }
        if (mutant === "written in place" && s.directory.file !== null) {
          const inode = inodeAt(s, s.directory.file)
          inode.whole = false
          inode.content = 0
        } else {
          me.temp = newInode(s, { content: me.encoded?.bytes ?? 0, whole: true, synced: false })
        }
        me.at = "fsync"
      })
    case "fsync":
      return step("fsyncs it", (s, me) => {
        if (mutant === "written in place" && s.directory.file !== null) {
          s.inodes[s.directory.file] = { content: me.encoded?.bytes ?? 0, whole: true, synced: true }
          me.at = "clear"
          return
        }
        if (mutant !== "no fsync of the temp file") inodeAt(s, me.temp).synced = true
        me.at = "git"
      })
    case "git":
      if (gitIsAtWork(s, mutant)) return undefined
      return step("sees no git at work", (_, me) => {
        me.at = mutant === "no look before the rename" || mutant === "no look and no aside" ? "link" : "look"
      })
    case "look":
      return step("looks once more", (s, me) => {
        const { file } = s.directory
        const same = file === (me.read?.inode ?? null) && contentAt(s, file) === (me.read?.content ?? null)
        me.at = same ? "link" : "read"
        if (!same) drop(me)
      })
    case "link":
      return step("links the file aside", (s, me) => {
        const { aside, file } = s.directory
        if (me.read === null && file === null) {
          // nothing to keep: the new file is linked to its place, which fails if there is one by now
          enter(s, { file: me.temp })
          me.temp = null
          me.at = "fsync directory"
        } else if (me.read === null || file === null) {
          me.at = "read"
          drop(me)
        } else if (aside !== null && !noAside && s.lock !== self) {
          me.at = "fail"
          drop(me)
        } else {
          if (!noAside) enter(s, { aside: file })
          me.at = "rename"
        }
      })
    case "rename":
      return step("renames", (s, me) => {
        enter(s, { file: me.temp })
        me.temp = null
        me.at = mutant === "cleared before the fsync of the directory" ? "clear" : "fsync directory"
      })
    case "fsync directory":
      return step("fsyncs the directory", (s, me) => {
        fsyncDirectory(s)
        me.at = mutant === "cleared before the fsync of the directory" ? "unlock" : "compare"
      })
    case "compare":
      if (s.directory.aside !== null && gitIsAtWork(s, mutant) && mutant !== "aside compared while git writes")
        return undefined
      return step("compares the aside", (s, me) => {
        const { aside } = s.directory
        me.at = "clear"
        if (aside === null) return
        if (inodeAt(s, aside).content === me.read?.content || mutant === "aside not compared") {
          return enter(s, { aside: null })
        }
        if (mutant !== "cleared, then absorbed") me.at = "absorb"
      })
    case "absorb":
      return step("absorbs the aside", (s, me) => {
        const base = me.read?.content ?? 0
        absorb(s, contentAt(s, s.directory.aside) ?? 0, () => base)
        me.at = "discard"
      })
    case "discard":
      return step("lets the aside go", (s, me) => {
        letGo(s, mutant)
        me.at = "read"
        drop(me)
      })
    case "clear":
      return step("clears and records", (s, me) => {
        const { bytes = 0, issues: chosen = [], revisions = [], rows = 0 } = me.encoded ?? {}
        for (const issue of chosen) {
          const mark = s.marks[issue]
          if (mark === null || mark === undefined) continue
          remember(s, mark.base)
          if (mark.revision === revisions[issue] || mutant === "cleared by id") s.marks[issue] = null
          else mark.base = rows & (issues[issue] ?? 0)
        }
        if (mutant === "cleared before the file record") {
          me.at = "record"
          return
        }
        s.record = mutant === "hash of the file read again" ? contentAt(s, s.directory.file) : bytes
        me.at = "unlock"
        if (mutant === "cleared before the fsync of the directory") me.at = "fsync directory"
        if (mutant === "cleared, then absorbed" && s.directory.aside !== null) me.at = "absorb"
        else drop(me)
      })
    case "record":
      return step("records", (s, me) => {
        s.record = me.encoded?.bytes ?? 0
        me.at = "unlock"
        drop(me)
      })
    case "unlock":
      return step("frees the lock, acknowledges", (s, me) => {
        s.acknowledged |= me.made
        if (hold?.publish === true) s.published |= me.made
        leave(s, me, self)
      })
    case "fail":
      return step("frees the lock, fails", (s, me) => {
        s.acknowledged |= me.made
        leave(s, me, self)
      })
    case "done":
      return undefined
  }
}

const leave = (s: State, me: Process, self: number) => {
  if (s.lock === self) s.lock = null
  me.read = null
  me.encoded = null
  me.temp = null
  me.changed = false
  me.holds.shift()
  me.at = me.holds.length === 0 ? "done" : "lock"
}

// ---------------------------------------------------------------------------------------------------------------------
// What others do
// ---------------------------------------------------------------------------------------------------------------------

/** Takes note of what a program outside makes of the file: what it overwrites there is not ours to keep. */
const noteWrite = (s: State, before: number | null, after: number, adds: number, removes: number) => {
  s.overwritten |= (before ?? 0) & ~after
  s.written |= adds
  s.removed = (s.removed & ~after) | removes
}

const outsideStep = (s: State, index: number, gap: boolean): Step<State> | undefined => {
  const program = s.outside[index]
  if (program === undefined || program.at === "done") return undefined
  const step = <P extends Outside>(_: P, name: string, run: (s: State, me: P) => void): Step<State> => ({
    name,
    run: s => run(s, s.outside[index] as P)
  })
  const { file } = s.directory
  // between our link and our rename only what is written into the linked file is kept
  const barred = !gap && s.processes.some(({ at }) => at === "rename")
  switch (program.kind) {
    case "editor": {
      if (s.indexLock) return undefined
      switch (program.at) {
        case "reads":
          if (file === null || !inodeAt(s, file).whole) return undefined
          return step(program, "editor: reads", (s, me) => {
            me.content = (inodeAt(s, file).content & ~me.removes) | me.adds
            me.at = "writes"
          })
        case "writes":
          if (program.how === "renames") {
            if (barred) return undefined
            return step(program, "editor: renames its file into place", (s, me) => {
              noteWrite(s, contentAt(s, file), me.content, me.adds, me.removes)
              s.directory = { ...s.directory, file: newInode(s, { content: me.content, whole: true, synced: true }) }
              fsyncDirectory(s)
              me.at = "done"
            })
          }
          if (file === null) return undefined
          return step(program, "editor: opens the file", (s, me) => {
            noteWrite(s, contentAt(s, file), me.content, program.how === "torn" ? 0 : me.adds, me.removes)
            fsyncDirectory(s)
            s.inodes[file] = { content: program.how === "torn" ? 0 : me.content, whole: true, synced: true }
            me.inode = program.how === "torn" ? file : null
            me.at = program.how === "torn" ? "ends" : "done"
          })
        case "ends":
          return step(program, "editor: writes", (s, me) => {
            inodeAt(s, me.inode).content = me.content
            s.written |= me.adds
            me.inode = null
            me.at = "done"
          })
      }
      break
    }
    case "git": {
      switch (program.at) {
        case "locks":
          if (file === null || s.indexLock || !inodeAt(s, file).whole) return undefined
          return step(program, "git: takes index.lock", (s, me) => {
            s.indexLock = true
            me.content = me.back ? initial : inodeAt(s, file).content | me.adds
            me.at = "unlinks"
          })
        case "unlinks":
          if (barred) return undefined
          return step(program, "git: unlinks", (s, me) => {
            noteWrite(s, contentAt(s, file), me.content, 0, 0)
            s.directory = { ...s.directory, file: null }
            fsyncDirectory(s)
            me.at = "creates"
          })
        case "creates":
          return step(program, "git: creates", (s, me) => {
            // exclusively: it says so if there is a file by now, and its content is in the repository still
            me.at = "unlocks"
            if (s.directory.file !== null) return
            me.inode = newInode(s, { content: 0, whole: true, synced: true })
            s.directory = { ...s.directory, file: me.inode }
            fsyncDirectory(s)
            me.at = "writes"
          })
        case "writes":
          return step(program, "git: writes", (s, me) => {
            inodeAt(s, me.inode).content = me.content
            s.written |= me.adds
            me.inode = null
            me.at = "unlocks"
          })
        case "unlocks":
          return step(program, "git: frees index.lock", (s, me) => {
            s.indexLock = false
            me.at = "done"
          })
      }
      break
    }
    case "remover":
      if (barred && program.what === "file") return undefined
      return step(program, `somebody: removes the ${program.what}`, (s, me) => {
        me.at = "done"
        if (me.what === "lock") {
          s.lock = null
          return
        }
        s.overwritten |= (contentAt(s, s.directory.file) ?? 0) & ~s.rows
        s.directory = { ...s.directory, file: null }
        fsyncDirectory(s)
      })
  }
  return undefined
}

/** Nothing of a process outlives it but what it wrote; the kernel frees its lock. */
const kill = (s: State, index: number, mutant: Mutant | undefined) => {
  const process = s.processes[index]
  if (process === undefined) return
  s.processes[index] = { ...newProcess(process.name, []), at: "done" }
  if (s.lock === index && mutant !== "lock outlives its holder") s.lock = null
}

const losePower = (s: State, left: Directory, mutant: Mutant | undefined) => {
  s.directory = left
  fsyncDirectory(s)
  for (const inode of Object.values(s.inodes)) {
    if (!inode.synced) Object.assign(inode, { content: 0, whole: false, synced: true })
  }
  s.processes.forEach((_, index) => {
    kill(s, index, mutant)
  })
  for (const program of s.outside) {
    program.at = "done"
    if (program.kind !== "remover") program.inode = null
  }
  s.indexLock = false
}

// ---------------------------------------------------------------------------------------------------------------------
// What has to hold
// ---------------------------------------------------------------------------------------------------------------------

/** What git, or an editor that has cut the file off, is about to have written counts as written. */
const inFile = (s: State, directory: Directory): number =>
  s.outside.reduce(
    (content, program) =>
      (program.kind === "git" && (program.at === "creates" || program.at === "writes")) ||
      (program.kind === "editor" && program.at === "ends")
        ? content | program.content
        : content,
    contentAt(s, directory.file) ?? 0
  )

const brokenNow = (s: State): string | undefined => {
  const stands = s.rows | inFile(s, s.directory) | (contentAt(s, s.directory.aside) ?? 0)
  if ((s.acknowledged & ~s.overwritten & ~stands) !== 0) return "G11: an acknowledged change is lost"
  if ((s.written & ~s.overwritten & ~stands) !== 0) return "G16: what another program wrote is lost"
  for (const left of s.lasting) {
    if (left.file === null) continue
    const inode = inodeAt(s, left.file)
    if (!inode.whole || (left !== s.lasting.at(-1) && !inode.synced)) {
      return "G28: the file is neither the old nor the new one"
    }
    const lasts = inFile(s, left) | s.overwritten
    if ((s.published & ~lasts) !== 0) return "G11: a change said to be in the file is not"
    for (const [issue, mask] of issues.entries()) {
      if (s.marks[issue] === null && (s.rows & mask & ~lasts) !== 0) {
        return "G14: a mark is cleared, and the file does not durably have the row"
      }
    }
  }
  return undefined
}

/** When all is quiet: one more command, alone, finds everything and leaves store and file in step. */
const brokenInTheEnd = (s: State, mutant: Mutant | undefined): string | undefined => {
  const end: State = JSON.parse(JSON.stringify(s))
  const last = edit(6, 0)
  end.processes.push(newProcess("last", [{ change: last, publish: true }]))
  const self = end.processes.length - 1
  for (let steps = 0; end.processes[self]?.at !== "done"; steps++) {
    const step = stepOf(end, self, mutant)
    if (step === undefined || steps > 100) return "G28: the next command cannot go on"
    step.run(end)
  }
  const file = contentAt(end, end.directory.file)
  const kept = (bits: number) => bits & ~end.overwritten
  const both = (file ?? 0) & end.rows
  if ((kept(end.acknowledged) & ~both) !== 0) return "G11: an acknowledged change is not in store and file in the end"
  if ((kept(end.written) & ~both) !== 0) return "G16: what another program wrote is not in store and file in the end"
  if ((end.removed & ((file ?? 0) | end.rows)) !== 0) return "G16: what another program removed is back in the end"
  if ((first & ~both) !== 0) return "G19: an issue is gone in the end"
  if (file !== end.rows || end.marks.some(mark => mark !== null) || end.directory.aside !== null) {
    return "G28: store and file are not in step in the end"
  }
  return undefined
}

export const model = (scenario: Scenario): Model<State> => {
  const {
    gap = false,
    kills = 0,
    missing = false,
    mutant,
    outside = [],
    powerLosses = 0,
    processes,
    together = false
  } = scenario
  const directory: Directory = { file: missing ? null : 0, aside: null }
  return {
    initial: {
      inodes: missing ? {} : { 0: { content: initial, whole: true, synced: true } },
      directory,
      lasting: [directory],
      indexLock: false,
      lock: null,
      rows: initial,
      revisions: [1, 1],
      marks: [null, null],
      record: initial,
      versions: [],
      processes: processes.map(({ holds, name }) => newProcess(name, holds)),
      outside: [...outside],
      kills,
      powerLosses,
      acknowledged: 0,
      published: 0,
      written: 0,
      removed: 0,
      overwritten: 0
    },
    steps: s => {
      const steps: Array<Step<State>> = []
      const inside = s.processes.findIndex(({ at }) => at === "link" || at === "rename")
      if (together && inside >= 0) return [stepOf(s, inside, mutant) ?? []].flat()
      s.processes.forEach((process, index) => {
        const step = stepOf(s, index, mutant)
        if (step !== undefined) steps.push(step)
        if (s.kills > 0 && process.at !== "done" && process.at !== "lock") {
          steps.push({
            name: `${process.name}: is killed`,
            run: s => {
              s.kills--
              kill(s, index, mutant)
            }
          })
        }
      })
      s.outside.forEach((_, index) => {
        const step = outsideStep(s, index, gap)
        if (step !== undefined) steps.push(step)
      })
      if (s.powerLosses > 0) {
        s.lasting.forEach((left, index) => {
          steps.push({
            name: `power is lost, ${index === s.lasting.length - 1 ? "the directory as it is" : `${s.lasting.length - 1 - index} entries back`}`,
            run: s => {
              s.powerLosses--
              losePower(s, left, mutant)
            }
          })
        })
      }
      return steps
    },
    broken: (s, ended) => {
      const broken = brokenNow(s)
      if (broken !== undefined || !ended) return broken
      // whoever still waits then waits for ever, but for an editor whose file is gone
      if (s.processes.some(({ at }) => at !== "done")) return "G28: a process waits for ever"
      return brokenInTheEnd(s, mutant)
    }
  }
}
