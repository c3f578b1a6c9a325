// A file as text, put into the bundle by the build (and by Vite in tests).
declare module '*?raw' {
  const text: string
  export default text
}
