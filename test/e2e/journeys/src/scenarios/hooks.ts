import { onWorkerStart, onWorkerStop } from 'turbolift'

let model: { predict(n: number): number } | undefined

onWorkerStart(async () => {
  await Promise.resolve()
  model = { predict: (n) => n * 2 }
  console.log('the model is open')
})

onWorkerStop(() => {
  console.log('the model is closed')
})

async function predict(n: number): Promise<number | undefined> {
  'use lift'
  return model?.predict(n)
}

export async function hooks(): Promise<void> {
  console.log(await predict(21))
}
