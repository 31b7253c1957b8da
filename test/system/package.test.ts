/**
 * The package as `npm pack` makes it of what is built, without installing anything: `npm run smoke` is the long form.
 */
import { execFileSync, spawnSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { isBuiltin } from "node:module"
import { dirname, join, normalize } from "node:path"
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, it } from "vitest"
import { binariesOf, npm } from "../smoke/nodes.ts"
import { commandsUnder } from "../smoke/readme.ts"
import { shell, use } from "../smoke/use.ts"
import { environment, scratch } from "./bd.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

interface Manifest {
  readonly bin: { readonly bd: string }
  readonly exports: { readonly ".": { readonly types: string; readonly default: string } }
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest

let place: string
let tarball: string
let files: ReadonlySet<string>

beforeAll(() => {
  place = scratch()
  const options = ["pack", "--ignore-scripts", "--json", "--pack-destination", place]
  const said = execFileSync(process.execPath, [npm, ...options], { cwd: root, encoding: "utf8", stdio: "pipe" })
  const [packed] = JSON.parse(said) as [{ filename: string; files: ReadonlyArray<{ path: string }> }]
  tarball = join(place, packed.filename)
  files = new Set(packed.files.map(({ path }) => path))
})

const importsOf = (file: string): ReadonlyArray<string> => {
  const text = readFileSync(join(root, file), "utf8")
  const modules = file.endsWith(".md")
    ? text.matchAll(/\]\(([^)#:]+)\)/g)
    : file.endsWith(".cjs")
      ? text.matchAll(/\brequire\("([^"]+)"\)/g)
      : text.matchAll(/(?:\bfrom|^import|\bimport\() ?"([\w@./:-]+)"/gm)
  return [...modules].map(([, name = ""]) => (file.endsWith(".md") ? `./${name}` : name))
}

describe("the package", () => {
  it("contract: it holds each file that its program, its modules, their types and its documents refer to", () => {
    const entries = [manifest.bin.bd, manifest.exports["."].types, manifest.exports["."].default]
    const documents = [...files].filter(file => file.endsWith(".md"))
    const ahead = [...entries, "scripts/postinstall.cjs", "dist/bin/makeCache.cjs", ...documents].map(normalize)
    const seen = new Set<string>()
    const packages = new Set<string>()
    for (let file = ahead.pop(); file !== undefined; file = ahead.pop()) {
      if (seen.has(file)) continue
      seen.add(file)
      // an example is an application of its own
      if (!files.has(file) || file.startsWith("examples/")) continue
      for (const name of importsOf(file)) {
        if (!name.startsWith(".")) packages.add(/^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name)
        // the type of `x.js` is that of `x.d.ts`
        else if (file.endsWith(".d.ts"))
          ahead.push(normalize(join(dirname(file), name)).replace(/(?<!\.d)\.[jt]s$/, ".d.ts"))
        else ahead.push(normalize(join(dirname(file), name)))
      }
    }
    expect(seen.size).toBeGreaterThan(60)
    expect([...seen].filter(file => !files.has(file))).toEqual([])
    // nothing but what an install brings, and what an embedder is told to
    const brought = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]
    expect([...packages].filter(name => !name.startsWith("node:") && !brought.includes(name))).toEqual([])
    expect(Object.keys(manifest.peerDependencies).filter(name => !packages.has(name))).toEqual([])
  })

  it("contract: its program needs Node and better-sqlite3 alone, and no code cache of this machine is in it", () => {
    const [program = "", ...more] = [...files].filter(file => /^dist\/bin\/bd-\w+\.cjs$/.test(file))
    expect(more).toEqual([])
    const modules = importsOf(program).filter(name => !name.startsWith("node:"))
    const beside = modules.filter(name => name.startsWith("./")).map(name => normalize(join("dist/bin", name)))
    expect(beside).toHaveLength(1)
    expect(beside.filter(file => !files.has(file))).toEqual([])
    const others = [...modules, ...beside.flatMap(importsOf)].filter(name => !name.startsWith("./") && !isBuiltin(name))
    const needed = new Set(others.map(name => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0]))
    expect([...needed]).toEqual(["better-sqlite3"])
    expect(Object.keys(manifest.dependencies)).toEqual(["better-sqlite3"])
    expect([...files].filter(file => file.endsWith(".cache"))).toEqual([])
  })

  it("contract: unpacked under a path with spaces and letters beyond ASCII, it does what the README says, for a user without an account", () => {
    const uid = process.getuid?.() === 0 ? 61_234 : undefined
    const theirs = (directory: string): string => {
      mkdirSync(directory, { recursive: true })
      if (uid !== undefined) chownSync(directory, uid, uid)
      return directory
    }
    for (const directory of [place, dirname(place)]) chmodSync(directory, 0o755)
    const modules = join(place, "Ein Verzeichnis – äöü 課題/node_modules")
    const installed = join(modules, "effect-beads")
    mkdirSync(installed, { recursive: true })
    execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed])
    for (const name of ["better-sqlite3/package.json", "better-sqlite3/lib", "bindings", "file-uri-to-path"]) {
      cpSync(join(root, "node_modules", name), join(modules, name), { recursive: true })
    }
    const addOn = "better-sqlite3/build/Release/better_sqlite3.node"
    cpSync(join(root, "node_modules", addOn), join(modules, addOn))

    const bin = binariesOf({ version: process.version, executable: process.execPath }, join(place, "bin"))
    symlinkSync(join(installed, manifest.bin.bd), join(bin, "bd"))
    const env = {
      PATH: `${bin}:${environment["PATH"]}`,
      LC_ALL: "C.UTF-8",
      HOME: theirs(join(place, "empty home")),
      TMPDIR: theirs(join(place, "tmp"))
    }
    theirs(join(installed, "dist/bin"))
    shell("node scripts/postinstall.cjs", { cwd: installed, env, uid })
    expect(readdirSync(join(installed, "dist/bin")).filter(name => name.endsWith(".cache"))).toHaveLength(2)

    const project = theirs(join(place, "Mein Projekt ü"))
    use(commandsUnder("Use"), { cwd: project, env, uid })
    expect(existsSync(join(project, ".git"))).toBe(true)
    expect(readFileSync(join(project, ".beads/issues.jsonl"), "utf8")).toMatch(/^\{"id":"Mein-Projekt-ü-/)
  })

  describe("its better-sqlite3", () => {
    const addOn = "build/Release/better_sqlite3.node"
    /** The package unpacked in `name`, with a better-sqlite3 of its own that is said to be of this version, below another one. */
    const installedWith = (name: string, change: (version: string) => string, parts: ReadonlyArray<string>) => {
      const above = join(place, name, "node_modules")
      const installed = join(above, "effect-beads")
      const own = join(installed, "node_modules/better-sqlite3")
      mkdirSync(own, { recursive: true })
      execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed])
      const modules = join(root, "node_modules")
      for (const part of ["lib", "package.json", addOn]) {
        cpSync(join(modules, "better-sqlite3", part), join(above, "better-sqlite3", part), { recursive: true })
      }
      for (const part of parts) cpSync(join(modules, "better-sqlite3", part), join(own, part), { recursive: true })
      for (const part of ["bindings", "file-uri-to-path"]) {
        cpSync(join(modules, part), join(above, part), { recursive: true })
      }
      const text = readFileSync(join(modules, "better-sqlite3/package.json"), "utf8")
      writeFileSync(
        join(own, "package.json"),
        text.replace(/"version": "(.*)"/, (_, v) => `"version": "${change(v)}"`)
      )
      // says that it was loaded
      const file = join(own, "lib/database.js")
      writeFileSync(file, `process.stderr.write("its own JavaScript\\n")\n${readFileSync(file, "utf8")}`)
      const cwd = join(place, name)
      return spawnSync(process.execPath, [join(installed, manifest.bin.bd), "init"], {
        cwd,
        env: environment,
        encoding: "utf8"
      })
    }

    it("contract: of the version that the program was built with, its add-on alone is loaded", () => {
      const { status, stderr } = installedWith("same", version => version, ["lib", addOn])
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
    })

    it("contract: of another version, JavaScript and add-on are its own", () => {
      const { status, stderr } = installedWith("other", version => `${version}0`, ["lib", addOn])
      expect({ status, stderr }).toEqual({ status: 0, stderr: "its own JavaScript\n" })
    })

    it("contract: without an add-on, that is told, and none of a better-sqlite3 further up is taken", () => {
      const { status, stderr } = installedWith("without", version => version, ["lib"])
      expect(status).toBe(8)
      expect(stderr).toContain("better-sqlite3 has no add-on for Node")
    })
  })
})
