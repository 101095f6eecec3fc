// As many processes as WORKERS says, on one port; the first of them only starts the others.
import cluster from "node:cluster";

export function serve(worker) {
  const workers = Number(process.env.WORKERS ?? 1);
  if (workers > 1 && cluster.isPrimary) {
    for (let i = 0; i < workers; i++) cluster.fork();
    cluster.on("exit", () => process.exit(1));
  } else {
    worker(Number(process.env.PORT));
  }
}
