import * as Output from "../Output.ts"
import * as Version from "../Version.ts"

export const run = () => Output.answer({ json: () => Version.json, text: () => Version.line })
