async function square(n: number) {
  'use lift'
  return n * n
}

console.log(await Promise.all([1, 2, 3].map(square)))
