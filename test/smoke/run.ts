/**
 * Tries the package as those who install it do: `npm run smoke [-- --node MAJOR] [--keep]`.
 *
 * Makes the tarball, installs it by the README's words into an empty home, under a path with spaces and letters beyond
 * ASCII and (started by root) as a user without an account, and types in the README's commands there. Then an
 * application embeds it: it compiles, under each way of resolving modules, and runs, the README's program included.
 * `--node` tries another Node, which comes from npm. Needs npm's registry and a compiler.
 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { binariesOf, headersOf, nodeOf, packagesBelow } from "./nodes.ts"
import { commandsUnder, programUnder } from "./readme.ts"
import { type Surroundings, shell, use } from "./use.ts"

const { values } = parseArgs({ options: { node: { type: "string" }, keep: { type: "boolean" } } })

const root = resolve(import.meta.dirname, "../..")
const scratch = mkdtempSync(join(tmpdir(), "bd-smoke-"))

/** Of nobody who has an account: what `docker run --user` gives, too. */
const uid = process.getuid?.() === 0 ? 61_234 : undefined

const theirs = (path: string): void => {
  if (uid !== undefined) chownSync(path, uid, uid)
}

const directory = (...names: ReadonlyArray<string>): string => {
  const made = join(scratch, ...names)
  mkdirSync(made, { recursive: true })
  theirs(made)
  return made
}

const write = (file: string, content: string | Buffer): void => {
  writeFileSync(file, content)
  theirs(file)
}

const step = async <A>(title: string, body: () => A | Promise<A>): Promise<A> => {
  const started = performance.now()
  const result = await body()
  console.log(`ok  ${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s  ${title}`)
  return result
}

/** A command of the README's that is there: what is tried is what is told. */
const told = (section: string, of: RegExp): string => {
  const found = commandsUnder(section).find(command => of.test(command))
  if (found === undefined) throw new Error(`the README's "${section}" has no command like ${of}`)
  return found
}

const sizeBelow = (at: string): number => Number(shell("du -sk .", { cwd: at, env: process.env }).stdout.split("\t")[0])

const main = async (): Promise<void> => {
  chmodSync(scratch, 0o755)
  const place = directory("Ein Verzeichnis – äöü 課題")
  const node = nodeOf(values.node, scratch)
  const bin = binariesOf(node, directory("bin"))
  const prefix = directory("Ein Verzeichnis – äöü 課題", "prefix")
  const headers = headersOf(node)

  // the caller's way to the registry, and nothing else of his
  const config = (name: string): NodeJS.ProcessEnv => {
    const value = shell(`npm config get ${name}`, { cwd: root, env: process.env }).stdout.trim()
    return ["", "null", "undefined"].includes(value) ? {} : { [`npm_config_${name}`]: value }
  }
  const passed = Object.entries(process.env).filter(([name]) =>
    /^(https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_file)$/i.test(name)
  )
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(passed),
    ...config("registry"),
    ...config("cafile"),
    PATH: [join(prefix, "bin"), bin, "/usr/local/bin", "/usr/bin", "/bin"].join(":"),
    HOME: directory("Ein Verzeichnis – äöü 課題", "home"),
    TMPDIR: directory("tmp"),
    npm_config_prefix: prefix,
    npm_config_update_notifier: "false",
    npm_config_audit: "false",
    npm_config_fund: "false",
    ...(headers === undefined ? {} : { npm_config_nodedir: headers })
  }
  const at = (cwd: string): Surroundings => ({ cwd, env, uid })
  console.log(`Node ${node.version}, ${uid === undefined ? "as you" : `user ${uid}`}, in ${place}`)

  const tarball = await step("npm pack", () => {
    const words = told("Install and try it", /^npm pack$/)
    shell(words, { cwd: root, env: { ...process.env, npm_config_pack_destination: place } })
    const [name, ...more] = readdirSync(place).filter(file => file.endsWith(".tgz"))
    assert(name !== undefined && more.length === 0)
    return name
  })

  const installed = join(prefix, "lib/node_modules/effect-beads")
  await step("npm install -g, in an empty home", () => {
    const words = told("Install and try it", /^npm install -g/)
    assert(words.endsWith(`/${tarball}`), `the README installs by "${words}", npm pack made ${tarball}`)
    shell(words, at(place))
  })
  const packages = packagesBelow(join(installed, "node_modules"))
  const missed = readdirSync(join(installed, "dist/bin")).some(name => name.endsWith(".cache")) ? "" : ", no code cache"
  console.log(`    ${packages.length} packages with it, ${Math.round(sizeBelow(installed) / 1024)} MB${missed}`)
  assert.equal(missed, "")
  // the program is bundled: who only runs it gets no second Effect
  assert.deepEqual(
    packages.filter(name => /effect/.test(name)),
    []
  )

  await step('the commands of the README\'s "Use"', () =>
    use(commandsUnder("Use"), at(directory("Ein Verzeichnis – äöü 課題", "Mein Projekt ü")))
  )

  await step("an application installs the package and its peers", () => embed(tarball))
  const app = join(place, "Anwendung ä")

  await step("its types resolve as bundler and as node16, and its program compiles", () => {
    const tsc = "node_modules/.bin/tsc --strict --exactOptionalPropertyTypes --types node --target es2023"
    shell(`${tsc} --module esnext --moduleResolution bundler --noEmit worker.ts`, at(app))
    shell(`${tsc} --module node16 --moduleResolution node16 worker.ts`, at(app))
  })

  await step("it is imported, and required", () => {
    const count = "console.log(Object.keys(b).filter(name => name !== 'default' && name !== '__esModule').join())"
    const imported = shell(`node --input-type=module -e "import * as b from 'effect-beads'; ${count}"`, at(app))
    const required = shell(`node --input-type=commonjs -e "const b = require('effect-beads'); ${count}"`, at(app))
    assert.match(imported.stdout, /Tracker/)
    assert.equal(required.stdout, imported.stdout)
  })

  await step("the README's program closes what is ready", () => work(app))

  async function embed(name: string): Promise<void> {
    const cwd = directory("Ein Verzeichnis – äöü 課題", "Anwendung ä")
    write(join(cwd, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }))
    write(join(cwd, "worker.ts"), programUnder("Embed"))
    const { packages: locked } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
      packages: Record<string, { version?: string }>
    }
    const tools = ["typescript", "@types/node"]
    const words = told("Embed", /^npm install /)
      .split(" ")
      .slice(2)
    assert.equal(words[0], `./${name}`)
    const wanted = [...words.slice(1), ...tools].map(name => {
      const version = locked[`node_modules/${name}`]?.version
      assert(version !== undefined, `${name} is not in package-lock.json`)
      return `${name}@${version}`
    })
    // compiled once is enough: the add-on is the one of the program
    shell(`npm install --ignore-scripts '../${name}' ${wanted.join(" ")}`, at(cwd))
    const addOn = "node_modules/better-sqlite3/build/Release/better_sqlite3.node"
    if (existsSync(join(installed, addOn))) {
      mkdirSync(join(cwd, addOn, ".."), { recursive: true })
      write(join(cwd, addOn), readFileSync(join(installed, addOn)))
    }
    assert.deepEqual(
      packagesBelow(join(cwd, "node_modules"))
        .filter(name => /^(effect|better-sqlite3)$/.test(name))
        .sort(),
      ["better-sqlite3", "effect"]
    )
  }

  async function work(cwd: string): Promise<void> {
    shell("git init --quiet && bd init --prefix app && bd create 'A job'", at(cwd))
    const user = uid === undefined ? {} : { uid, gid: uid }
    const worker = spawn(node.executable, ["worker.js"], { cwd, env, ...user, stdio: ["ignore", "pipe", "pipe"] })
    let said = ""
    const ended = new Promise<void>((resolve, reject) => {
      worker.on("close", () => resolve())
      worker.on("error", reject)
    })
    worker.stderr.on("data", chunk => (said += chunk))
    worker.stdout.on("data", chunk => {
      said += chunk
      if (said.includes("closed app-")) worker.kill("SIGINT")
    })
    await ended
    assert.match(said, /^flush: Idle\n[\s\S]*closed app-/)
    assert.match(readFileSync(join(cwd, ".beads/issues.jsonl"), "utf8"), /"status":"closed".*"worked off"/)
  }
}

let passed = false
try {
  await main()
  passed = true
} finally {
  if (values.keep === true) console.log(`kept: ${scratch}`)
  else if (existsSync(scratch)) rmSync(scratch, { recursive: true, force: true })
  if (!passed) process.exitCode = 1
}
