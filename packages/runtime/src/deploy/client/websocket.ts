// The only module that loads the WebSocket library's code; the rest takes types from it.
export { WebSocket } from 'ws'
