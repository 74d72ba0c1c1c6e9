#!/bin/sh
# All that needs a GPU, in nine minutes at most, the most valuable first; see --help.
set -u

usage() {
    cat <<'TEXT'
Usage: sh benchmarks/on_gpu.sh [--dry] [FOLDER]

Runs on one CUDA device what nothing else can show, and keeps each result in FOLDER (default:
gpu-results), to be committed. Each part has its own limit, and what one leaves is for the last:

  tests      the tests that need CUDA
  step       every optimizer's step at 100 million parameters, against fused, foreach and a copy
  roofline   bytes and operations a second
  triton     the Triton kernel against the compiled step and the fused one
  cnn        the convolutional network with dropout, for as many epochs as time allows

--dry  small sizes on the CPU, with Triton's interpreter: whether all of it runs
TEXT
}

dry=
folder=gpu-results
for argument in "$@"; do
    case $argument in
        --help | -h) usage; exit 0 ;;
        --dry) dry=yes ;;
        -*) echo "on_gpu: there is no option $argument; see --help" >&2; exit 2 ;;
        *) folder=$argument ;;
    esac
done

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder" && folder=$(cd "$folder" && pwd) || exit 1
cd "$here/.." || exit 1
PYTHONPATH=$PWD/src${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
python=${PYTHON:-python}
end=$(($(date +%s) + ${LIMIT:-540}))
failed=

device=cuda
if [ "$dry" ]; then
    device=cpu
    TRITON_INTERPRET=1
    export TRITON_INTERPRET
elif ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    echo "on_gpu: Torch sees no CUDA device; --dry shows whether all of it runs" >&2
    exit 1
fi

# part NAME SECONDS COMMAND...: run it, for that long or what is left, and keep what it says.
part() {
    name=$1 limit=$2
    shift 2
    left=$((end - $(date +%s)))
    [ "$limit" -gt "$left" ] && limit=$left
    if [ "$limit" -le 5 ]; then
        echo "$name: no time left" | tee -a "$folder/summary.txt"
        return
    fi
    begun=$(date +%s)
    timeout -k 5 "$limit" "$@" >"$folder/$name.log" 2>&1
    status=$?
    case $status in
        0) word=done ;;
        124 | 137) word="cut at its limit; what it had is kept" ;;
        *) word="failed with status $status"; failed=yes ;;
    esac
    echo "$name: $word, $(($(date +%s) - begun)) s" | tee -a "$folder/summary.txt"
}

: >"$folder/summary.txt"
if [ "$dry" ]; then
    sizes="--size 20000 --turns 2 --optimizers Adam SGD"
    roof="--size 64 --bytes 80000 --turns 2"
    network="--quick --seeds=1"
else
    sizes="--size 100000000"
    roof=
    network="--seeds=1 --rates=0.0001,0.001,0.01 --tuning-epochs=2"
fi

# shellcheck disable=SC2086
{
    part tests 120 "$python" -m pytest -q -p no:cacheprovider -k cuda \
        tests/test_torch_capturable.py tests/test_torch_state.py tests/test_torch_tensors.py \
        tests/test_executors.py
    part step 150 "$python" benchmarks/gpu_step.py --device $device $sizes --output "$folder"
    part roofline 40 "$python" benchmarks/gpu_roofline.py --device $device $roof --output "$folder"
    part triton 60 "$python" -m pytest -q -p no:cacheprovider tests/test_torch_triton.py
    left=$((end - $(date +%s) - 20))
    part cnn $((left + 20)) "$python" -m adam_edu.cli reproduce cnn-cifar10 --device=$device \
        --dropout=with $network --minutes=$((left / 60)).$((left % 60 * 10 / 60)) \
        --checkpoints "$folder/checkpoints" --output "$folder"
}
rm -rf "$folder/checkpoints"
[ -z "$failed" ]
