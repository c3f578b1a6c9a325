import { expect, test } from 'vitest'

import { renderConfigurationPage } from './configuration-page.ts'

test('docs/configuration.md lists every option (`npm test -- test/docs -u` writes it)', async () => {
  await expect(renderConfigurationPage()).toMatchFileSnapshot('../../docs/configuration.md')
})
