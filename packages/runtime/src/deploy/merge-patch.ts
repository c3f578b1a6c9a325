/**
 * The object with a merge patch applied: fields of the patch replace those of the object, `null` removes them.
 * @see https://www.rfc-editor.org/rfc/rfc7396
 */
export function toMergePatched<T extends object>(object: T, patch: object): T {
  // The user's last resort, which may say anything; the API server checks the result.
  return merge(object, patch) as T
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merge(result[key], value)
  }
  return result
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
