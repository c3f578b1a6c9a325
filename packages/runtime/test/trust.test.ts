import { lstatSync } from 'node:fs'

import { expect, test } from 'vitest'

import { createRunFolder } from '../src/dispose/run-folder.ts'
import { createProgram } from './program.ts'

test('local workers have the environment of the program', async () => {
  const functions = 'read: async (name) => process.env[name],'
  await using program = await createProgram({ functions, main: "console.log(await read('OF_THE_PROGRAM'))" })
  const ended = await program.run({ OF_THE_PROGRAM: 'seen' })
  expect(ended).toMatchObject({ stdout: 'seen\n', exitCode: 0 })
})

test.skipIf(process.platform === 'win32')('nobody else gets to the folder with the sockets of workers', () => {
  using folder = createRunFolder()
  const { mode, uid } = lstatSync(folder.path)
  expect([mode & 0o777, uid]).toEqual([0o700, process.getuid?.()])
})
