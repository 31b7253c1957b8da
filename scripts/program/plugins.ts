/** How the program differs from its sources: what many modules bring and no command needs is not loaded with every one. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import type { Plugin } from "esbuild"

const root = path.resolve(import.meta.dirname, "../..")
const modules = createRequire(import.meta.url)

/** Modules of Node that many commands import and few use: together they take longer to load than the program. */
const loadedLate = ["child_process", "crypto", "os"]

/** Loads each of these when something of it is first used. */
const late: Plugin = {
  name: "late",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: new RegExp(`^(node:)?(${loadedLate.join("|")})$`) }, ({ namespace, path: module }) =>
      namespace === "late" ? { path: module, external: true } : { path: module, namespace: "late" }
    )
    onLoad({ filter: /./, namespace: "late" }, async ({ path: module }) => {
      const names = Object.keys(await import(module)).filter(name => /^\w+$/.test(name) && name !== "default")
      const getters = names.map(name => `get ${name}() { return require("${module}").${name} }`)
      return { contents: `module.exports = {${getters.join(",")}}`, loader: "js" }
    })
  }
}

/** Modules of Node whose exports are taken from them once, as they are: esbuild would make a getter for each, for each
 * module that imports them. */
const builtIns = ["buffer", "fs", "path", "url"]

/** An import of one of these is the property of that name; of what nobody imports nothing is left. */
const plain: Plugin = {
  name: "plain",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: new RegExp(`^(node:)?(${builtIns.join("|")})$`) }, ({ kind, path: module }) =>
      kind === "import-statement" ? { path: module.replace("node:", ""), namespace: "plain" } : undefined
    )
    onLoad({ filter: /./, namespace: "plain" }, async ({ path: module }) => {
      const all = Object.getOwnPropertyDescriptors(modules(module))
      const taken = Object.entries(all).map(([name, { get }]) => {
        const value = `require("node:${module}").${name}`
        // what Node loads when it is looked at stays unseen until something of it is used
        const kept = get === undefined ? `(() => ${value})()` : `new Proxy({}, { get: (_, key) => ${value}[key] })`
        return `${name} = /* @__PURE__ */ ${kept}`
      })
      return { contents: `export const ${taken.join(", ")}`, loader: "js" }
    })
  }
}

/** What Effect finds out as it loads, and need not here: a part of its text, and what stands for it in the program. */
const known = {
  // for a logger that `bd` does not have; Node would set up a stream, and load all that streams and sockets need
  logger: ['typeof process.stdout === "object"', "false"],
  // whether the frame of this name is there; a stack trace of the program counts its lines. esbuild keeps names of keys
  Utils: ['standard.effect_internal_function(() => new Error().stack)?.includes("effect_internal_function")', "true"]
} as const

const spareEffect: Plugin = {
  name: "spare-effect",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/effect\/dist\/esm\/(Utils|internal\/logger)\.js$/ }, ({ path: file }) => {
      const text = readFileSync(file, "utf8")
      const [part, answer] = file.endsWith("Utils.js") ? known.Utils : known.logger
      // it works without, and starts a little later
      if (!text.includes(part)) console.warn(`${file} no longer has what the build spares: ${part}`)
      return { contents: text.replace(part, answer), loader: "js" }
    })
  }
}

/**
 * The add-on where its build puts it; looked for, and the failure told, as the package itself does if it is elsewhere.
 * By its path, since by its name Node would go on to other packages of that name further up, of another version perhaps.
 */
const addOn = `module.exports = name => {
  const path = require("path")
  const at = require.resolve("better-sqlite3/package.json")
  const root = path.dirname(at)
  try {
    return require(path.join(root, "build/Release", name))
  } catch {
    const bindings = require.resolve("bindings", { paths: [at] })
    return require(bindings)({ bindings: name, module_root: root })
  }
}`

/**
 * Takes better-sqlite3's JavaScript into the program: Node needs 5 ms to find and compile its many small files. If the
 * package that is installed is of another version, all of that is loaded instead: JavaScript and add-on belong together.
 */
const sqlite: Plugin = {
  name: "sqlite",
  setup: ({ onLoad, onResolve }) => {
    const { version } = modules("better-sqlite3/package.json") as { readonly version: string }
    const bundled = modules.resolve("better-sqlite3")
    onResolve({ filter: /^(better-sqlite3|bindings)$/ }, ({ path: module }) => ({ path: module, namespace: "sqlite" }))
    onLoad({ filter: /^better-sqlite3$/, namespace: "sqlite" }, () => ({
      contents: `module.exports = require("better-sqlite3/package.json").version === ${JSON.stringify(version)}
        ? require(${JSON.stringify(bundled)})
        : require("better-sqlite3/lib/index.js")`,
      resolveDir: root
    }))
    onLoad({ filter: /^bindings$/, namespace: "sqlite" }, () => ({ contents: addOn }))
  }
}

/** `import text from "./file?raw"`, as vitest has it: the file as its text. */
const raw: Plugin = {
  name: "raw",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /\?raw$/ }, ({ path: file, resolveDir }) => ({
      path: path.join(resolveDir, file.replace(/\?raw$/, "")),
      namespace: "raw"
    }))
    onLoad({ filter: /./, namespace: "raw" }, ({ path: file }) => ({
      contents: readFileSync(file, "utf8"),
      loader: "text"
    }))
  }
}

/** Modules for which another stands in the program. */
const standIns: Plugin = {
  name: "stand-ins",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^effect\/Schema$/ }, () => ({ path: path.join(import.meta.dirname, "Schema.ts") }))
  }
}

/**
 * Modules of which the program uses nothing, though others that it needs import them: nothing is asked on the terminal, help
 * is rendered by `Help`, nothing is streamed, and `Micro` is for who does without Effect.
 */
const unused = [
  /\/@effect\/cli\/dist\/esm\/(internal\/)?[pP]rompt(\/.*)?\.js$/,
  /\/@effect\/printer(-ansi)?\/dist\/esm\/.*\.js$/,
  /\/effect\/dist\/esm\/(Micro|Stream|Sink|Channel|Mailbox|internal\/(stream|sink|channel|mailbox|groupBy|take)(\/.*)?)\.js$/
]

/** Has nothing of them in the program but their names. Whoever calls one is told. */
const leaveOutUnused: Plugin = {
  name: "unused",
  setup: ({ onLoad }) => {
    for (const filter of unused) {
      onLoad({ filter }, async ({ path: file }) => {
        const names = Object.keys(await import(pathToFileURL(file).href))
        const told = JSON.stringify(`${path.relative(root, file)} is not in this program`)
        return {
          contents: `const none = () => { throw new Error(${told}) }; export { ${names.map(name => `none as ${name}`).join(", ")} }`,
          loader: "js"
        }
      })
    }
  }
}

/** In their order: the first that knows a module has it. */
export const plugins: ReadonlyArray<Plugin> = [late, plain, spareEffect, sqlite, raw, standIns, leaveOutUnused]
