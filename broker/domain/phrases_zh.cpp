// Explanations in Chinese, with the words of the docs (报价, 绿电占比, 算力中心, …).
#include "broker/domain/phrases.hpp"

namespace westerly {
namespace {

constexpr phrases::row<phrase> said[] = {
    {phrase::no_offer, "在策略 {1} 下，所考虑的 {2} 个报价目前都不可行。"},
    {phrase::chosen, "策略 {1} 选择 {2}：{3}。"},
    {phrase::plan_only, "{1}（仅供规划）"},
    {phrase::term_counts, "其{1}折合 {2}。"},
    {phrase::plan_only_before, "排名在前但仅供规划：{1}，{2}。"},
    {phrase::runner_up, "次选为 {1}：{2}；{3}"},
    {phrase::dearer_by, "全部计入后贵 {1}。"},
    {phrase::loses_on_key, "在排序的第 {1} 项上落后。"},
    {phrase::loses_on_tie, "各项相同，仅由并列规则分出先后。"},
    {phrase::is_cheapest, "它也是最便宜的可行报价。"},
    {phrase::against_cheapest, "与最便宜的可行报价 {1}（{2}）相比，多花 {3}{4}。"},
    {phrase::avoids, "，减少 {1} {2}（每单位 {3}）"},
    {phrase::causes, "，增加 {1} {2}"},
    {phrase::pareto, "没有其他入选报价在各方面（费用、延迟、碳排放、绿电占比、完成时间）都优于：{1}。"},
    {phrase::switch_at, "{1}（{2}）：每 {4} 计价从 {3} 起将胜出。"},
    {phrase::rejected, "{2} 个报价中有 {1} 个被排除：{3}。"},
    {phrase::rejected_for, "{2}（{3}）{1} 个"},
    {phrase::cost_of_run, "{2}、计费 {3} s，费用 {1}"},
    {phrase::one_unit, "1 个单位"},
    {phrase::units, "{1} 个单位"},
    {phrase::with_egress, "含输入数据的流出费共 {1}"},
    {phrase::run, "{1}，每张速度为基准卡的 {2} 倍（{3}），并行效率 {4} %，相当于 {5} 张基准卡"},
    {phrase::one_card, "1 张卡"},
    {phrase::cards, "{1} 张卡"},
    {phrase::speed_range, "{1} 至 {2}，{3}"},
    {phrase::interruptions, "预计中断 {1} 次"},
    {phrase::hazard_assumed, "预计中断 {1} 次（硬件故障率为假定值）"},
    {phrase::rtt, "RTT {1} ms（{2}）"},
    {phrase::green_power, "绿电占比 {1} %"},
    {phrase::green_power_unknown, "绿电占比未知"},
    {phrase::energy, "能耗 {1} kWh"},
    {phrase::energy_unknown, "能耗未知"},
    {phrase::carbon, "碳排放 {1} gCO2e（基于位置）"},
    {phrase::carbon_unknown, "碳排放未知"},
    {phrase::carbon_market_residual, "{1} gCO2e（基于市场，其余按剩余电力组合）"},
    {phrase::carbon_market_grid, "{1} gCO2e（基于市场，剩余电力组合未知，其余按电网平均）"},
    {phrase::finish, "完成于 {1}"},
    {phrase::between_facts, "，"},
    {phrase::between, "、"},
    {phrase::before_last, "、"},
    {phrase::between_keys, "，其次"},
    {phrase::non_green_kwh, "kWh 非绿电"},
    {phrase::carbon_kg, "kg CO2e"},
    {phrase::priced_term, "{1}（每 {3} 计 {2}）"},
    {phrase::stepped_term, "{1}（每 {2} {3} 为一档）"},
};
static_assert(complete(said));

constexpr phrases::row<note_kind> notes[] = {
    {note_kind::sentence, "{1}"},
    {note_kind::ranked_by_cost, "仅按费用排序。"},
    {note_kind::ranked_by_sum, "按费用加上以下各项排序：{1}。"},
    {note_kind::ranked_in_order, "依次按以下各项排序：{1}。"},
    {note_kind::costs_per_hour, "服务没有终点：费用、能耗和碳排放均按每小时计。"},
    {note_kind::runtime_assumed, "未说明运行时长：假定为 {1} s。"},
    {note_kind::reference_unknown,
     "基准卡“{1}”不在本平台的加速卡表（schema/facts/accelerators.json）中，无法估计速度：请改用表中的型号，或只给出 "
     "runtime_s。"},
    {note_kind::origin_missing, "未说明用户所在地（constraints.origin 或 constraints.origins），因此没有计入延迟。"},
    {note_kind::term_missing, "策略用到的项“{1}”在本平台中不存在。"},
    {note_kind::within_of_cheapest, "只对比最便宜者（{1}，{3}）贵不超过 {2} % 的报价排序。"},
    {note_kind::power_unknown, "{1} 的功率未知，因此其能耗和碳排放也未知。"},
    {note_kind::pue_assumed, "算力中心 {1} 的 PUE 未知：假定为 {2}。"},
    {note_kind::green_share_unknown, "算力中心 {1} 的绿电占比未知：按没有绿电计。"},
    {note_kind::ingress_assumed, "算力中心 {1} 的入口带宽未知：搬运输入数据时假定为 {2} Gbit/s。"},
    {note_kind::only_catalogue, "只有目录报价符合要求：{1} 仅供规划，不能启动。"},
    {note_kind::green_not_low_carbon,
     "此处绿电不等于低碳：{1} 的非绿电能耗少于 {2}（{3} 对 {4} kWh），但按基于位置的方法排放更多（{5} 对 {6} kg "
     "CO2e）。"},
    {note_kind::not_robust, "结论不稳健：在加速卡速度的误差范围内，{1} 也可能胜出。"},
    {note_kind::spot_hazard_unknown, "{1} 被收回的频率未知：没有计入这类中断。"},
    {note_kind::gang_chosen, "在任务允许的 {2} 到 {3} 个之间选择了 {1} 个一组（试算了 {4} 种规模）。"},
    {note_kind::policy_forced, "运营方强制使用策略“{1}”，代替任务指定的“{2}”。"},
    {note_kind::policy_by_default, "任务未指定策略：按规则使用“{1}”。"},
    {note_kind::policy_overridden, "任务覆盖了策略中的设置：{1}。"},
    {note_kind::carbon_source, "算力中心 {1} 的碳排放依据 {2}（{3}）。"},
    {note_kind::carbon_source_partly,
     "算力中心 {1} 的碳排放依据 {2}（{3}），覆盖运行时间的 {4} %；其余部分按该中心自身的固定因子计算。"},
    {note_kind::put_off, "等到 {1} 再启动，因为那时算力中心 {2} 的电力更清洁。"},
    {note_kind::put_off_intensity, "运行期间平均 {2} g CO2e/kWh，立即启动则为 {3}，依据 {1}。"},
    {note_kind::put_off_saves_carbon, "与在该处立即启动相比，等待可少排放 {1} kg CO2e。"},
    {note_kind::put_off_saves_energy, "与在该处立即启动相比，等待可少用 {1} kWh 非绿电。"},
    {note_kind::put_off_saves_money, "按策略计价，等待可节省 {1}。"},
    {note_kind::put_off_on_baseline, "与立即启动的最便宜可行报价（{1}）相比，少排放 {2} kg CO2e，多花费 {3}。"},
    {note_kind::speed_measured, "{1} 在此类工作上的速度除已有数据外，还依据此前 {2} 次运行的实测。"},
    {note_kind::work_left, "还剩 {1} % 的工作：其余已保存在先前执行尝试的检查点中。"},
    {note_kind::moved,
     "运行中从 {1} 迁往 {2}：剩余工作留在原处合计 {3}，迁移后合计 {4}（含重做、恢复、传输和等待），停止原执行另需 "
     "{5}。收益 "
     "{6} 超过策略规定的余量。"},
    {note_kind::moved_in_order,
     "运行中从 {1} 迁往 {2}：按 {3} 计，剩余工作留在原处为 {4}，迁移后为 {5}（含重做），超过策略规定的余量。"},
    {note_kind::assigned_together,
     "与其他 {2} 个任务一起分配：单独决定会选择 {1}，但该报价分配给了其中的任务；在此处多花费 {3}。"},
};
static_assert(complete(notes));

constexpr phrases::row<rejection> rejections[] = {
    {rejection::provider_denied, "所属算力提供方不被允许"},
    {rejection::provider_unhealthy, "所属算力提供方目前不接新任务"},
    {rejection::plan_only, "属于目录，仅供规划"},
    {rejection::not_purchased, "为包年包月且未购买"},
    {rejection::not_supported, "所用适配器不能运行成组任务或接收代码"},
    {rejection::region, "不在要求的地域"},
    {rejection::jurisdiction, "不在要求的司法管辖区"},
    {rejection::compute_class, "属于其他算力类别（通算、智算、超算）"},
    {rejection::architecture, "处理器架构不同"},
    {rejection::stack, "没有任务变体可用的软件栈"},
    {rejection::accelerator, "没有要求的加速卡"},
    {rejection::compliance, "被合规规则禁止，或缺少规则所需的数据"},
    {rejection::task_shape, "容不下一个任务"},
    {rejection::throughput_unknown, "加速卡在此类工作上的速度或互联带宽未知"},
    {rejection::never_finishes, "中断过于频繁，永远无法完成"},
    {rejection::runtime_limit, "太慢，超过 max_runtime_s"},
    {rejection::capacity_never, "单位总数少于整组任务所需"},
    {rejection::capacity_now, "目前已满"},
    {rejection::rtt, "RTT 过高"},
    {rejection::rtt_unknown, "RTT 未知"},
    {rejection::pue, "PUE 过高或未知"},
    {rejection::green_power_share, "绿电占比过低或未知"},
    {rejection::price_missing, "没有价格"},
    {rejection::max_price, "每小时价格超过上限"},
    {rejection::budget, "超出预算"},
    {rejection::deadline, "赶不上截止时间"},
    {rejection::max_carbon, "碳排放超过上限或未知"},
    {rejection::quantity_unknown, "缺少策略排序所需的 RTT、功率或碳排放数据"},
    {rejection::too_dear_for_policy, "比最便宜者贵得超过策略允许的幅度"},
};
static_assert(complete(rejections));

constexpr term_words terms[] = {
    {"latency", "延迟", "延迟更低", "ms·副本小时"},
    {"green_power", "绿电", "更绿", "kWh 非绿电"},
    {"carbon", "碳排放", "碳排放更低", "kg CO2e"},
    {"time", "时间", "完成更早", "小时"},
    {"cost", "费用", "更便宜", "货币单位"},
    {"rtt", "RTT", "延迟更低", "ms"},
    {"data_movement", "数据搬运", "数据到得更早", "s"},
    {"non_green_energy", "非绿电能耗", "更绿", "kWh 非绿电"},
    {"finish", "完成时间", "完成更早", "小时"},
    {"", "", "更优", "单位"},
};

constexpr std::pair<std::string_view, std::string_view> methods[] = {
    {"unknown", "未知"},
    {"declared", "提供方声明"},
    {"estimated from coordinates (median error 3 ms)", "由坐标估计，误差中位数 3 ms"},
    {"estimated from coordinates (median error 20 ms)", "由坐标估计，误差中位数 20 ms"},
    {"stated", "租户给出"},
    {"the reference", "即基准卡"},
    {"measured elsewhere", "他处实测"},
    {"measured by earlier runs", "由此前运行实测"},
    {"derived from FP16 peaks", "由 FP16 峰值推算"},
    {"derived from memory bandwidths", "由显存带宽推算"},
    {"derived from FP64 peaks", "由 FP64 峰值推算"},
    {"measured by the hour", "逐小时实测"},
    {"modelled by the hour", "逐小时模型"},
    {"a monthly figure", "月度数据"},
    {"an annual figure of the province", "省级年度数据"},
    {"an annual figure of the country", "国家年度数据"},
};

}  // namespace

const phrases& chinese() noexcept {
    static constexpr phrases table{said, notes, rejections, terms, methods};
    return table;
}

}  // namespace westerly
