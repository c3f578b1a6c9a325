import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'

import { ConfigError } from '../errors.ts'
import { type LiftManifest, MANIFEST_VERSION } from '../manifest.ts'

const START = /\{\s*["']?version["']?\s*:\s*\d+\s*,\s*["']?program["']?\s*:/g

/**
 * Reads the manifest out of a built program, without running it.
 * @param path the bundle, or the folder of its chunks
 * @throws ConfigError `BUNDLE_UNREADABLE`
 */
export function readManifest(path: string): LiftManifest {
  for (const file of listFiles(path)) {
    const text = read(file)
    for (const { index } of text.matchAll(START)) {
      const manifest = parseManifest(evaluate(text.slice(index, findEnd(text, index))))
      if (manifest !== undefined) return manifest
    }
  }
  throw bundleUnreadable(path, 'there is no manifest of lifted functions in it')
}

function listFiles(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    return readdirSync(path)
      .filter((name) => /\.[cm]?js$/.test(name))
      .map((name) => join(path, name))
  } catch (error) {
    throw bundleUnreadable(path, error instanceof Error ? error.message : String(error), error)
  }
}

function read(file: string): string {
  return readFileSync(file, 'utf8')
}

/** End of the object literal that starts at `start`; brackets in texts do not count. */
function findEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '"' || character === "'" || character === '`') at = findQuote(text, at)
    else if (character === '{') depth += 1
    else if (character === '}' && --depth === 0) return at + 1
  }
  return text.length
}

function findQuote(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text.charAt(at) === '\\') at += 1
    else if (text.charAt(at) === text.charAt(start)) return at
  }
  return text.length
}

/** Minifiers turn JSON into shorter JavaScript (`!0`, keys without quotes), so that only JavaScript can read it. */
function evaluate(literal: string): unknown {
  try {
    return runInNewContext(`(${literal})`, {}, { timeout: 1000 })
  } catch {
    // Looked like a manifest, and is not one.
    return undefined
  }
}

function parseManifest(value: unknown): LiftManifest | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  // Of another realm: its arrays and objects have other classes.
  const plain: unknown = structuredClone(value)
  return isManifest(plain) ? plain : undefined
}

function isManifest(value: unknown): value is LiftManifest {
  if (typeof value !== 'object' || value === null) return false
  const fields: Partial<Record<keyof LiftManifest, unknown>> = value
  const texts = [fields.program, fields.hash, fields.files].every((field) => typeof field === 'string')
  return (
    texts &&
    fields.version === MANIFEST_VERSION &&
    typeof fields.functions === 'object' &&
    Array.isArray(fields.externals)
  )
}

function bundleUnreadable(path: string, reason: string, cause?: unknown): ConfigError {
  return new ConfigError(
    'BUNDLE_UNREADABLE',
    {
      what: `The built program "${path}" cannot be read: ${reason}.`,
      why: 'Its options and lifted functions are needed here.',
      fix: 'Build it, and name its main file with --bundle.',
    },
    { cause },
  )
}
