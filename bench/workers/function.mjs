// The function that every contender runs, and the default export that piscina and tinypool look for.
export const square = (n) => n * n

export default square
