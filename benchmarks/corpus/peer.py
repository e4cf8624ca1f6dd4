"""The peer's pipeline: the steps of `nnlab prepare`, as datatrove's own blocks do them.

    <python with datatrove> peer.py <folder of one WET file> <out> <lid.176> <tokenizer>

Run by ../corpus.py in an interpreter of its own: nnlab does not depend on datatrove.
FineWeb's order (github.com/huggingface/datatrove, examples/fineweb.py), with the bounds
of conf/data/common_crawl.yaml.
"""

import os
import sys
from pathlib import Path

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.filters import (
    C4QualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    LambdaFilter,
    LanguageFilter,
)
from datatrove.pipeline.readers import JsonlReader, WarcReader
from datatrove.pipeline.tokens import DocumentTokenizer
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils import lid


def run(steps: list[PipelineStep], folder: str, tasks: int = 1) -> None:
    """Run a pipeline in this process."""
    LocalPipelineExecutor(
        steps, tasks=tasks, workers=1, logging_dir=folder, skip_completed=False
    ).run()


def main(archives: str, out: str, model: str, tokenizer: str) -> None:
    """Read, filter, find near copies, tokenise; one stage after the other."""
    # nnlab's model; datatrove would download lid.176.bin, the one that is not quantised
    lid.cached_asset_path_or_download = lambda *given, **more: model
    run(
        [
            WarcReader(archives),
            LambdaFilter(lambda document: 200 <= len(document.text) <= 1_000_000),
            LanguageFilter(languages=["en"], language_threshold=0.65),
            GopherRepetitionFilter(),
            GopherQualityFilter(),
            C4QualityFilter(
                filter_no_terminal_punct=False,
                filter_curly_bracket=False,
                min_num_sentences=3,
            ),
            JsonlWriter(f"{out}/filtered", compression=None),
        ],
        f"{out}/log/1",
    )
    run(
        [
            JsonlReader(f"{out}/filtered"),
            MinhashDedupSignature(output_folder=f"{out}/signatures"),
        ],
        f"{out}/log/2",
    )
    buckets = MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets")
    run([buckets], f"{out}/log/3", tasks=14)
    run([MinhashDedupCluster(f"{out}/buckets", f"{out}/remove")], f"{out}/log/4")
    run(
        [
            JsonlReader(f"{out}/filtered"),
            MinhashDedupFilter(f"{out}/remove"),
            DocumentTokenizer(f"{out}/tokens", tokenizer, eos_token="<|endoftext|>"),
        ],
        f"{out}/log/5",
    )
    tokens, ends = (
        sum(file.stat().st_size for file in Path(out, "tokens").glob(pattern))
        for pattern in ("*.ds", "*.ds.index")
    )
    print(f"{ends // 8:,} documents, {tokens // 2:,} tokens")


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    main(*sys.argv[1:])
