"""What other tools call it: nanoGPT, Keras, scikit-learn, Lightning, Hugging Face.

Such a word is far from nnlab's own, letter by letter, and yet plain.
"""

VERBS: dict[str, str] = {
    **dict.fromkeys(("fit", "start", "launch"), "train"),
    "run": "train or runs",
    **dict.fromkeys(("eval", "evaluate", "validate", "val", "score"), "test"),
    **dict.fromkeys(("infer", "inference", "classify", "ask"), "predict"),
    **dict.fromkeys(("sample", "speak", "write"), "generate"),
    "chat": "generate run=latest chat=true",
    "continue": "resume=latest",
    **dict.fromkeys(("sweep", "tune", "search", "multirun"), "-m seed=1,2,3"),
    **dict.fromkeys(("benchmark", "leaderboard"), "compare"),
    **dict.fromkeys(("show", "ls", "options"), "list"),
    **dict.fromkeys(("models", "experiments", "regularizers"), "list"),
    **dict.fromkeys(("history", "log", "logs", "status"), "runs"),
    **dict.fromkeys(("new", "create"), "plugins new"),
    **dict.fromkeys(("info", "describe"), "plugins info"),
    "help": "--help",
    "version": "--version",
}

KEYS: dict[str, str] = {
    **dict.fromkeys(("epochs", "epoch", "num_epochs"), "trainer.max_epochs"),
    **dict.fromkeys(("num_train_epochs", "max_iter"), "trainer.max_epochs"),
    **dict.fromkeys(("steps", "iters", "max_iters", "num_steps"), "trainer.max_steps"),
    **dict.fromkeys(("gpus", "num_gpus", "n_gpus"), "trainer.devices"),
    **dict.fromkeys(("device", "gpu", "cpu", "cuda"), "trainer.accelerator"),
    **dict.fromkeys(("grad_clip", "max_grad_norm"), "trainer.gradient_clip_val"),
    **dict.fromkeys(("learning_rate", "learning_rate_init", "eta"), "optimizer.lr"),
    **dict.fromkeys(("random_state", "random_seed", "manual_seed"), "seed"),
    **dict.fromkeys(("n_layer", "n_layers", "num_layers"), "model.layers"),
    **dict.fromkeys(("n_head", "n_heads", "num_heads"), "model.heads"),
    **dict.fromkeys(("n_embd", "d_model", "hidden_size"), "model.embedding_size"),
    "block_size": "model.context_size",
    "dataset": "data",
    **dict.fromkeys(("net", "network", "arch", "architecture"), "model"),
    **dict.fromkeys(("scheduler", "lr_scheduler"), "schedule"),
    **dict.fromkeys(("out_dir", "save_dir", "log_dir"), "output_dir"),
    **dict.fromkeys(("amp", "fp16", "bf16", "dtype"), "precision"),
    **dict.fromkeys(("jobs", "n_jobs"), "sweep.workers"),
    **dict.fromkeys(("transfer.checkpoint", "transfer.from"), "transfer.run"),
}

# Keys of other verbs than `train`, and of none: what was meant by them.
ELSEWHERE: dict[str, str] = {
    "run": "nnlab test run=... or resume=...",
    **dict.fromkeys(("prompt", "temperature"), "nnlab generate run=... prompt=..."),
    **dict.fromkeys(("input", "inputs"), "nnlab predict run=... input=..."),
    **dict.fromkeys(("seeds", "budget"), "nnlab compare seeds=... budget.steps=..."),
    **dict.fromkeys(("sort", "status"), "nnlab runs status=... sort=..."),
    **dict.fromkeys(("checkpoint", "ckpt"), "resume=... or transfer.run=..."),
    **dict.fromkeys(("ckpt_path", "resume_from"), "resume=..."),
    **dict.fromkeys(("load", "init_from", "weights"), "transfer.run=..."),
}

# Keys of a section that would choose an option of its group.
NAMES = ("name", "type", "kind", "class")

# What other tools have to be told, and nnlab not.
NEEDLESS: dict[str, str] = dict.fromkeys(
    ("num_workers", "pin_memory", "persistent_workers"),
    "whole batches are taken from memory, without workers",
)

OPTIONS: dict[str, dict[str, str]] = {
    "precision": {
        **dict.fromkeys(("16", "16-mixed", "half", "float16", "mixed"), "fp16"),
        **dict.fromkeys(("bf16-mixed", "bfloat16"), "bf16"),
        "bf16-true": "bf16_true",
        **dict.fromkeys(("32", "32-true", "single", "float32"), "fp32"),
        **dict.fromkeys(("64", "64-true", "double", "float64"), "fp64"),
    },
    "model": {
        **dict.fromkeys(("transformer", "nanogpt", "gpt2", "gpt-2"), "gpt"),
        **dict.fromkeys(("cnn", "convnet", "lenet-5"), "lenet5"),
        **dict.fromkeys(("rnn", "lstm", "gru"), "recurrent"),
        **dict.fromkeys(("vae", "ae"), "autoencoder"),
        **dict.fromkeys(("nn", "dense", "linear"), "mlp"),
    },
    "data": {
        **dict.fromkeys(("tinyshakespeare", "tiny_shakespeare"), "shakespeare"),
        **dict.fromkeys(("fashion", "fmnist"), "fashion_mnist"),
    },
    "trainer": {"cuda": "gpu"},
    "schedule": dict.fromkeys(("none", "no", "false"), "constant"),
    "strategy": dict.fromkeys(("none", "auto"), "single"),
}
