// The errors of a run in a cluster that are not refusals of single requests (those are in client/errors.ts).
import { DeployError, LiftError } from '../errors.ts'

/**
 * The program was silent for too long, so that the cluster has ended the run.
 * @param cause why its signs of life did not get through, where it gave any
 */
export function runExpired(run: string, silentMs: number, cause?: unknown): DeployError {
  const failed = cause instanceof LiftError ? cause.explanation : undefined
  const reason =
    failed === undefined
      ? 'The program was stopped, the machine asleep, or the network away.'
      : `Its signs of life failed: ${failed.what} ${failed.why}`
  return new DeployError(
    'RUN_EXPIRED',
    {
      what: `The run ${run} has ended: the cluster did not hear from the program for ${Math.round(silentMs / 1000)} s.`,
      why: `A run whose program is silent for longer than its grace time is removed from the cluster, so that nothing is left behind. ${reason}`,
      fix: `${failed === undefined ? '' : `${failed.fix} `}Run it again, or raise kubernetes.graceMs.`,
    },
    { cause },
  )
}

/** Somebody deleted the run. */
export function runRemoved(run: string, cause: unknown): DeployError {
  return new DeployError(
    'RUN_REMOVED',
    {
      what: `The run ${run} was removed from the cluster while the program was using it.`,
      why: 'Its Job, which owns everything else of the run, does not exist any more: "turbolift down" or somebody with kubectl deleted it.',
      fix: 'Run it again.',
    },
    { cause },
  )
}

/** A queueing system holds the anchor back, so that its deadline does not count. */
export function anchorSuspended(run: string): DeployError {
  return new DeployError('ANCHOR_SUSPENDED', {
    what: `The cluster does not start the Job ${run}, which the run hangs on.`,
    why: 'A queueing system such as Kueue suspends Jobs, or the controller manager does not work. Without a start the Job has no deadline, and a program that dies would leave its workers behind.',
    fix: 'Exclude the namespace from the queueing system, or give the run a queue with kubernetes.labels ("kueue.x-k8s.io/queue-name").',
  })
}

/** The run's objects were not all gone in time. */
export function runLeftovers(run: string, namespace: string, cause: unknown): DeployError {
  return new DeployError(
    'RUN_LEFTOVERS',
    {
      what: `It could not be seen that everything of the run ${run} is gone.`,
      why: `The cluster did not confirm it in time${cause instanceof Error ? ` (${cause.message})` : ''}.`,
      fix: `The cluster removes it by itself when the grace time is over. To look: kubectl -n ${namespace} get all -l turbolift.dev/run=${run.slice(run.lastIndexOf('-') + 1)}`,
    },
    { cause },
  )
}

/** Whatever went wrong, as the error that waiting calls fail with. */
export function toDeployFailure(error: unknown): LiftError {
  if (error instanceof LiftError) return error
  return new DeployError(
    'DEPLOY_FAILED',
    {
      what: 'The workers could not be started or followed in the cluster.',
      why: error instanceof Error ? error.message : String(error),
      fix: 'Look at the cause; "turbolift doctor" checks what a run needs from the cluster.',
    },
    { cause: error },
  )
}
