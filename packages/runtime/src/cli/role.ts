import {
  maintenancePermissions,
  mergePermissions,
  toPermissions,
  toRole,
  toRoleBinding,
  toServiceAccount,
} from '../deploy/permissions.ts'
import { clusterExplanations, clusterOptions, readConfig } from './cluster.ts'
import { type Command, flagOption, textOption } from './command.ts'
import { toYaml } from './yaml-text.ts'

export const role: Command = {
  about: 'Prints the Role that a program needs, its ServiceAccount and the binding of both, as YAML.',
  usage: '[--name turbolift] [--maintenance] | kubectl apply -f -',
  options: { ...clusterOptions, name: { type: 'string' }, maintenance: { type: 'boolean' } },
  explain: {
    ...clusterExplanations,
    name: 'name of the three objects; default: turbolift',
    maintenance: 'also what "turbolift registry" and "turbolift prune" do',
  },
  async run(call) {
    const { kubernetes } = readConfig(call).config
    const names = { name: textOption(call, 'name') ?? 'turbolift', namespace: kubernetes.namespace ?? 'default' }
    const more = flagOption(call, 'maintenance') ? maintenancePermissions : []
    const permissions = mergePermissions([...toPermissions(kubernetes), ...more])
    const objects = [toServiceAccount(names), toRole({ ...names, permissions }), toRoleBinding(names)]
    call.output.print(toYaml(objects))
    return 0
  },
}
