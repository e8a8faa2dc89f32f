"""What runs elsewhere: the store, the queue, workers and their supervision. No torch here.

Only the process that a worker forks for one job (`workers.jobs.run_experiment`) loads the engine's
torch side. The run folder is the record; the store makes it live and can be rebuilt from it.
"""
