// The function that every contender runs; piscina and tinypool look for a default export.
export default function square(n) {
  return n * n
}
