#include "broker/runtime/termhost/confine.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace westerly {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t our_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t our_architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t our_architecture = 0;  // the kernel's filter is not set there
#endif

/// What a pure computation has no use for. A call that is refused gives EPERM, and the library goes on.
constexpr long refused[] = {
    // the network
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    // other processes and threads
    SYS_execve,
    SYS_execveat,
    SYS_clone,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal,
    SYS_pidfd_getfd,
    SYS_pidfd_open,
    SYS_prlimit64,
    SYS_setpriority,
    SYS_unshare,
    SYS_setns,
    // files
    SYS_mknodat,
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_linkat,
    SYS_symlinkat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_fchownat,
    SYS_truncate,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_mount,
    SYS_umount2,
    SYS_chroot,
    // what goes around this filter, or reaches into the kernel
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_kexec_load,
    SYS_reboot,
#if defined(__x86_64__)
    SYS_fork,
    SYS_vfork,
    SYS_mknod,
    SYS_mkdir,
    SYS_rmdir,
    SYS_unlink,
    SYS_rename,
    SYS_renameat,
    SYS_link,
    SYS_symlink,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_creat,
#endif
};
constexpr long opening[] = {
    SYS_openat,
#if defined(__x86_64__)
    SYS_open,
#endif
};
/// Of which the C library does without where it is told that they are missing.
constexpr long missing[] = {SYS_clone3, SYS_openat2};

class filter_text {
public:
    filter_text() {
        load(offsetof(seccomp_data, arch));
        // Programs for another architecture have other numbers: refused whole.
        add(BPF_JMP | BPF_JEQ | BPF_K, our_architecture, 1, 0);
        give(SECCOMP_RET_KILL_PROCESS);
        load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
        add(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);  // the numbers of x32
        give(SECCOMP_RET_ERRNO | EPERM);
#endif
    }
    void refuse(long number, std::uint32_t with) {
        add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1);
        give(SECCOMP_RET_ERRNO | with);
    }
    /// Opening for writing; `argument` is the flags'.
    void refuse_writing(long number, std::size_t argument) {
        add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 4);
        load(static_cast<std::uint32_t>(offsetof(seccomp_data, args) + argument * 8));
        add(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1);
        give(SECCOMP_RET_ERRNO | EPERM);
        give(SECCOMP_RET_ALLOW);
    }
    /// abort() signals its own thread so; to another process it is refused.
    void own_process_only(long number) {
        add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 4);
        load(offsetof(seccomp_data, args));
        add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(::getpid()), 1, 0);
        give(SECCOMP_RET_ERRNO | EPERM);
        give(SECCOMP_RET_ALLOW);
    }
    bool set() {
        give(SECCOMP_RET_ALLOW);
        const sock_fprog program{static_cast<unsigned short>(text_.size()), text_.data()};
        return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
    }

private:
    void add(unsigned code, std::uint32_t value, std::uint8_t if_true, std::uint8_t if_false) {
        text_.push_back({static_cast<std::uint16_t>(code), if_true, if_false, value});
    }
    void load(std::uint32_t offset) {
        add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
    }
    void give(std::uint32_t verdict) {
        add(BPF_RET | BPF_K, verdict, 0, 0);
    }

    std::vector<sock_filter> text_;
};

}  // namespace

const char* confine_to_reading() noexcept {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return "PR_SET_NO_NEW_PRIVS";
    const rlimit nothing{0, 0};
    if (::setrlimit(RLIMIT_FSIZE, &nothing) != 0)
        return "RLIMIT_FSIZE";
    if (our_architecture == 0)
        return nullptr;
    filter_text filter;
    for (const long number : refused)
        filter.refuse(number, EPERM);
    for (const long number : missing)
        filter.refuse(number, ENOSYS);
    filter.own_process_only(SYS_tgkill);
    filter.refuse_writing(SYS_openat, 2);
#if defined(__x86_64__)
    filter.refuse_writing(SYS_open, 1);
#endif
    return filter.set() ? nullptr : "the filter of system calls";
}

const char* confine_to_computing() noexcept {
    if (our_architecture == 0)
        return nullptr;
    filter_text filter;
    for (const long number : opening)
        filter.refuse(number, EPERM);
    return filter.set() ? nullptr : "the filter of system calls";
}

}  // namespace westerly
